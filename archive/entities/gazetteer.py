"""Countries and the names they go by in English, so that "the U.S." and "America" are one place. Pure.

Names of peoples and languages are left out: "French" is not France. So are names that several countries share
(Congo, Korea, Guinea as a part): they stay what the text calls them.
"""

from __future__ import annotations

from archive.entities.names import key

# One country a line: the name shown, then other names after bars.
_COUNTRIES = """
Afghanistan | Islamic Republic of Afghanistan | Islamic Emirate of Afghanistan
Albania | Republic of Albania
Algeria
American Samoa
Andorra
Angola
Antigua and Barbuda | Antigua & Barbuda
Argentina | Argentine Republic
Armenia | Republic of Armenia
Aruba
Australia | Commonwealth of Australia
Austria | Republic of Austria
Azerbaijan | Republic of Azerbaijan
Bahamas | Commonwealth of the Bahamas
Bahrain | Kingdom of Bahrain
Bangladesh
Barbados
Belarus | Republic of Belarus | Byelorussia
Belgium | Kingdom of Belgium
Belize
Benin
Bermuda
Bhutan
Bolivia | Plurinational State of Bolivia
Bosnia and Herzegovina | Bosnia-Herzegovina | Bosnia & Herzegovina | BiH
Botswana
Brazil | Brasil | Federative Republic of Brazil
Brunei | Brunei Darussalam
Bulgaria | Republic of Bulgaria
Burkina Faso
Burundi
Cambodia | Kingdom of Cambodia | Kampuchea
Cameroon | Cameroun
Canada
Cape Verde | Cabo Verde
Cayman Islands
Central African Republic | CAR
Chad | Republic of Chad
Chile
China | People's Republic of China | PRC | P.R. China | Mainland China | Communist China | Red China
Colombia
Comoros
Costa Rica
Croatia | Republic of Croatia | Hrvatska
Cuba
Curaçao | Curacao
Cyprus | Republic of Cyprus
Czechia | Czech Republic
Democratic Republic of the Congo | Democratic Republic of Congo | DR Congo | DRC | Congo-Kinshasa | Zaire
Denmark | Kingdom of Denmark
Djibouti
Dominica
Dominican Republic
East Timor | Timor-Leste
Ecuador
Egypt | Arab Republic of Egypt
El Salvador
Equatorial Guinea
Eritrea
Estonia | Republic of Estonia
Eswatini | Swaziland
Ethiopia
Falkland Islands | Falklands
Faroe Islands | Faroes
Fiji
Finland | Republic of Finland
France | French Republic
French Guiana
French Polynesia
Gabon
Gambia
Georgia | Republic of Georgia
Germany | Federal Republic of Germany | FRG | Deutschland
Ghana
Gibraltar
Greece | Hellenic Republic
Greenland
Grenada
Guadeloupe
Guam
Guatemala
Guinea
Guinea-Bissau
Guyana
Haiti
Honduras
Hong Kong | Hongkong | HKSAR
Hungary
Iceland
India | Republic of India | Bharat
Indonesia | Republic of Indonesia
Iran | Islamic Republic of Iran | IRI
Iraq | Republic of Iraq
Ireland | Republic of Ireland | Eire | Éire
Isle of Man
Israel | State of Israel
Italy | Italian Republic
Ivory Coast | Côte d'Ivoire | Cote d'Ivoire
Jamaica
Japan | Nippon
Jersey
Jordan | Hashemite Kingdom of Jordan
Kazakhstan | Republic of Kazakhstan
Kenya | Republic of Kenya
Kiribati
Kosovo | Republic of Kosovo
Kuwait | State of Kuwait
Kyrgyzstan | Kyrgyz Republic | Kirghizia
Laos | Lao PDR
Latvia | Republic of Latvia
Lebanon | Lebanese Republic
Lesotho
Liberia
Libya | Libyan Arab Jamahiriya
Liechtenstein
Lithuania | Republic of Lithuania
Luxembourg | Luxemburg
Macau | Macao
Madagascar
Malawi
Malaysia
Maldives
Mali
Malta
Marshall Islands
Martinique
Mauritania
Mauritius
Mexico | México | United Mexican States
Micronesia | Federated States of Micronesia
Moldova | Republic of Moldova | Moldavia
Monaco
Mongolia
Montenegro
Morocco | Kingdom of Morocco
Mozambique
Myanmar | Burma
Namibia
Nauru
Nepal
Netherlands | Holland | Kingdom of the Netherlands | Nederland
New Caledonia
New Zealand | NZ | Aotearoa
Nicaragua
Niger
Nigeria | Federal Republic of Nigeria
North Korea | DPRK | Democratic People's Republic of Korea | N. Korea | NK
North Macedonia | Republic of North Macedonia | FYROM | Macedonia
Norway | Kingdom of Norway
Oman | Sultanate of Oman
Pakistan | Islamic Republic of Pakistan
Palau
Palestine | State of Palestine
Panama
Papua New Guinea | PNG
Paraguay
Peru
Philippines | Republic of the Philippines | Philippine Islands
Poland | Republic of Poland | Polska
Portugal
Puerto Rico
Qatar | State of Qatar
Republic of the Congo | Congo-Brazzaville
Réunion | Reunion Island
Romania | Rumania
Russia | Russian Federation
Rwanda
Saint Kitts and Nevis | St. Kitts and Nevis | St. Kitts
Saint Lucia | St. Lucia
Saint Vincent and the Grenadines | St. Vincent and the Grenadines
Samoa | Western Samoa
San Marino
São Tomé and Príncipe | Sao Tome and Principe
Saudi Arabia | Kingdom of Saudi Arabia | KSA
Senegal
Serbia | Republic of Serbia
Seychelles
Sierra Leone
Singapore | Republic of Singapore
Slovakia | Slovak Republic
Slovenia | Republic of Slovenia
Solomon Islands
Somalia
Somaliland
South Africa | Republic of South Africa | RSA
South Korea | ROK | Republic of Korea | S. Korea
South Sudan
Soviet Union | USSR | Union of Soviet Socialist Republics | CCCP
Spain | Kingdom of Spain | España
Sri Lanka | Ceylon
Sudan | Republic of the Sudan
Suriname | Surinam
Sweden | Kingdom of Sweden
Switzerland | Swiss Confederation
Syria | Syrian Arab Republic
Taiwan | Republic of China | Formosa | Chinese Taipei
Tajikistan | Republic of Tajikistan
Tanzania | United Republic of Tanzania
Thailand | Kingdom of Thailand | Siam
Togo
Tonga
Trinidad and Tobago | Trinidad & Tobago
Tunisia
Turkey | Türkiye | Turkiye | Republic of Turkey
Turkmenistan
Tuvalu
Uganda
Ukraine
United Arab Emirates | UAE | Emirates
United Kingdom | UK | Britain | Great Britain | GB
United States | US | USA | United States of America | America | U.S. of A. | the States
Uruguay
Uzbekistan | Republic of Uzbekistan
Vanuatu
Vatican City | Vatican City State | Holy See
Venezuela | Bolivarian Republic of Venezuela
Vietnam | Viet Nam | Socialist Republic of Vietnam
Western Sahara
Yemen | Republic of Yemen
Yugoslavia
Zambia
Zimbabwe | Rhodesia
"""

# Also the names of people, organisations or states of a union: what the model takes them for stands.
_SHARED = {"chad", "georgia", "jersey", "jordan", "CAR", "RSA", "emirates", "israel", "india", "dominica", "NK"}


def _by_key() -> dict[str, str]:
    lines = [[name.strip() for name in line.split("|")] for line in _COUNTRIES.strip().splitlines()]
    return {key(variant): names[0] for names in lines for variant in names}


_PLACES = _by_key()


def country(name_key: str) -> str:
    """The name of the country that ``names.key`` of some name leads to, or ''."""
    return _PLACES.get(name_key, "")


def is_surely_place(name_key: str) -> bool:
    """Whether the key names a country and hardly ever anything else, whatever the model took it for."""
    return name_key in _PLACES and name_key not in _SHARED

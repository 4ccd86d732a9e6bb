"""Text search configurations: Postgres's stemmers without stop words, one for each language that can be stemmed.

Without stop words every word of a phrase counts, and a query means the same in each language.
"""

from django.db import migrations

STEMMERS = {
    "da": "danish", "de": "german", "en": "english", "es": "spanish", "fi": "finnish", "fr": "french",
    "hu": "hungarian", "it": "italian", "nl": "dutch", "no": "norwegian", "pt": "portuguese", "ro": "romanian",
    "ru": "russian", "sv": "swedish", "tr": "turkish",
}  # fmt: skip
WORDS = "asciiword, word, asciihword, hword, hword_asciipart, hword_part"


def make(code: str, language: str) -> str:
    return f"""
        CREATE TEXT SEARCH DICTIONARY afterword_{code}_stem (TEMPLATE = snowball, Language = {language});
        CREATE TEXT SEARCH CONFIGURATION afterword_{code} (COPY = pg_catalog.simple);
        ALTER TEXT SEARCH CONFIGURATION afterword_{code} ALTER MAPPING FOR {WORDS} WITH afterword_{code}_stem;
    """


def drop(code: str) -> str:
    return f"DROP TEXT SEARCH CONFIGURATION afterword_{code}; DROP TEXT SEARCH DICTIONARY afterword_{code}_stem;"


class Migration(migrations.Migration):
    dependencies = [("archive", "0001_initial")]

    operations = [
        migrations.RunSQL("".join(make(*pair) for pair in STEMMERS.items()), "".join(map(drop, STEMMERS)))
    ]

// Says in words what went wrong with a passkey, and takes the offer away where the browser has none.
// The talking itself is allauth's (mfa/js/webauthn.js), which tells of errors by an event.

const place = document.getElementById("passkey-problem");
const said = {
  NotAllowedError: "No passkey was used. Try again, or take another way.",
  InvalidStateError: "This device has a passkey for your account already.",
  SecurityError: "Passkeys work only where the address begins with https, or on this machine under the name localhost.",
};

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  place.textContent = said[event.detail.exception.name] || "The passkey could not be used. Try again, or take another way.";
  place.hidden = false;
});

if (!window.PublicKeyCredential) {
  for (const button of document.querySelectorAll("[id^=passkey-][type=submit], #passkey-add")) button.disabled = true;
  place.textContent = "This browser has no passkeys here.";
  place.hidden = false;
}

// Passkeys: sign in by button and from the autofill list, add one, and keep password managers informed.
// Works on forms with data-passkey="get" or "create"; they stay hidden where the browser has no passkeys.
// A form says in words what went wrong, in a [role=alert], and its button can always be pressed again.

const able = typeof PublicKeyCredential === "function";

/** Something to be told to the person as it is. */
class Told extends Error {}

const octets = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const described = (list) => (list ?? []).map((one) => ({ ...one, id: octets(one.id) }));

// Not by the browser's own parse…FromJSON and toJSON: not all have them, and some extensions break them.
const creation = (json) => ({
  ...json,
  challenge: octets(json.challenge),
  user: { ...json.user, id: octets(json.user.id) },
  excludeCredentials: described(json.excludeCredentials),
});
const request = (json) => ({
  ...json,
  challenge: octets(json.challenge),
  allowCredentials: described(json.allowCredentials),
});

function answered(credential) {
  const { response } = credential;
  const parts = { clientDataJSON: text(response.clientDataJSON) };
  if (response.attestationObject) {
    parts.attestationObject = text(response.attestationObject);
    parts.transports = response.getTransports?.() ?? [];
  } else {
    parts.authenticatorData = text(response.authenticatorData);
    parts.signature = text(response.signature);
    parts.userHandle = response.userHandle ? text(response.userHandle) : null;
  }
  return JSON.stringify({ id: credential.id, rawId: text(credential.rawId), type: credential.type, response: parts });
}

async function ask(form, address, more = {}) {
  const body = new URLSearchParams(new FormData(form));
  for (const [name, value] of Object.entries(more)) body.set(name, value);
  const answer = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
  if (!answer.headers.get("Content-Type")?.startsWith("application/json")) throw new Told(form.dataset.textStale);
  const said = await answer.json();
  if (said.unknown_credential) await forget(said.rp_id, said.unknown_credential);
  if (answer.ok) return said;
  if (said.location) {
    location.assign(said.location);
    await new Promise(() => {}); // the page goes away
  }
  throw new Told(said.error_description);
}

// --- What password managers should know (Signal API) --------------------------------------------------------

async function forget(rpId, credentialId) {
  await PublicKeyCredential.signalUnknownCredential?.({ rpId, credentialId }).catch(() => {});
}

async function tell({ rp_id: rpId, user_id: userId, credential_ids, name, display_name: displayName }) {
  await PublicKeyCredential.signalAllAcceptedCredentials?.({
    rpId, userId, allAcceptedCredentialIds: credential_ids,
  }).catch(() => {});
  await PublicKeyCredential.signalCurrentUserDetails?.({ rpId, userId, name, displayName }).catch(() => {});
}

// --- One ceremony at a time -----------------------------------------------------------------------------------

let waiting = null; // a ceremony that waits in the background: {controller, over}

/** A browser has one ceremony at a time: the one in the background makes way. */
async function makeWay() {
  const before = waiting;
  waiting = null;
  before?.controller.abort();
  await before?.over;
}

function inBackground(run) {
  const controller = new AbortController();
  waiting = { controller, over: run(controller.signal).catch(() => {}) };
}

function say(form, message) {
  const alert = form.querySelector("[data-trouble]");
  alert.textContent = message;
  alert.hidden = !message;
  // Only what says something is an alert: who looks for errors by role finds those there are.
  if (message) alert.setAttribute("role", "alert");
  else alert.removeAttribute("role");
}

function inWords(form, error) {
  if (error instanceof Told) return error.message;
  if (error.name === "NotAllowedError") return form.dataset.textCancelled;
  if (error.name === "InvalidStateError") return form.dataset.textKnown ?? form.dataset.textFailed;
  return form.dataset.textFailed;
}

/** Do something for a press of a form's button: busy meanwhile, words for what goes wrong, never a dead button. */
async function pressed(form, button, run) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  say(form, "");
  try {
    await makeWay();
    await run();
  } catch (error) {
    say(form, inWords(form, error));
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

// --- Sign in --------------------------------------------------------------------------------------------------

async function useOf(form, credential) {
  form.elements.credential.value = answered(credential);
  if (form.dataset.answer === "form") form.submit();
  else location.assign((await ask(form, form.action)).location);
}

function signsIn(form) {
  const button = form.querySelector("button");
  let kept = null; // options that nobody has answered yet
  const options = async () => {
    const mine = kept && Date.now() < kept.until ? kept : null;
    kept = null;
    if (mine) return mine;
    const json = await ask(form, form.dataset.options);
    return { json, until: Date.now() + json.timeout * 0.8 };
  };

  const inAutofill = () => inBackground(async (signal) => {
    while (!signal.aborted) {
      const mine = (kept = await options());
      // A challenge ends before a page that lies open: then, or when somebody looks again, there is a new one.
      const renewal = new AbortController();
      const timer = setTimeout(() => renewal.abort(), mine.until - Date.now());
      const stop = () => renewal.abort();
      signal.addEventListener("abort", stop);
      let credential = null;
      try {
        credential = await navigator.credentials.get({
          publicKey: request(mine.json), mediation: "conditional", signal: renewal.signal,
        });
      } catch (error) {
        if (!renewal.signal.aborted) return;
      } finally {
        clearTimeout(timer);
        signal.removeEventListener("abort", stop);
      }
      if (credential) {
        kept = null;
        waiting = null;
        try {
          return await useOf(form, credential);
        } catch (error) {
          say(form, inWords(form, error));
          await focused(); // not at once: some managers would answer the same again
        }
      }
      await visible();
    }
  });

  const autofill = async () => {
    if (!("autofill" in form.dataset)) return;
    if (await PublicKeyCredential.isConditionalMediationAvailable?.()) inAutofill();
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    pressed(form, button, async () => {
      try {
        const { json } = await options();
        await useOf(form, await navigator.credentials.get({ publicKey: request(json) }));
      } catch (error) {
        autofill();
        throw error;
      }
    });
  });
  form.hidden = false;
  autofill();
}

function visible() {
  if (document.visibilityState === "visible") return null;
  return new Promise((resolve) => {
    document.addEventListener("visibilitychange", () => resolve(), { once: true });
  });
}

function focused() {
  return new Promise((resolve) => {
    document.addEventListener("focusin", () => resolve(), { once: true });
  });
}

// --- Add a passkey ----------------------------------------------------------------------------------------------

function adds(form) {
  const button = form.querySelector("button");
  const keep = async (credential) => {
    const said = await ask(form, form.action, { credential: answered(credential) });
    if (said.signals) await tell(said.signals);
    location.assign(said.location ?? form.dataset.then);
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    pressed(form, button, async () => {
      const json = await ask(form, form.dataset.options);
      await keep(await navigator.credentials.create({ publicKey: creation(json) }));
    });
  });

  /** Let the browser add one by itself, if its password manager has just filled in the password. */
  const byItself = async () => {
    const can = await PublicKeyCredential.getClientCapabilities?.();
    if (!("automatic" in form.dataset) || !can?.conditionalCreate) return;
    inBackground(async (signal) => {
      const json = await ask(form, form.dataset.options, { automatic: "yes" });
      await keep(await navigator.credentials.create({ publicKey: creation(json), mediation: "conditional", signal }));
    });
  };
  form.hidden = false;
  byItself();
}

// A page that comes back as it was left would wait for an answer that is long gone.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

if (able) {
  for (const form of document.querySelectorAll("form[data-passkey=get]")) signsIn(form);
  for (const form of document.querySelectorAll("form[data-passkey=create]")) adds(form);
  for (const told of document.querySelectorAll("[data-passkey-signals]")) tell(JSON.parse(told.dataset.passkeySignals));
  for (const missing of document.querySelectorAll("[data-passkey-missing]")) missing.remove();
  // Lets the sign-in know whether it makes sense to offer a passkey afterwards.
  for (const field of document.querySelectorAll("input[data-passkey-able]")) {
    PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable?.()
      .then((here) => { field.value = here ? "yes" : ""; }, () => {});
  }
} else {
  for (const form of document.querySelectorAll("form[data-passkey]")) form.remove();
  for (const missing of document.querySelectorAll("[data-passkey-missing]")) missing.hidden = false;
}

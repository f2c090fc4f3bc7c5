// Says how strong a new password is while it is typed. The server judges; the page works without it.
for (const shown of document.querySelectorAll("[data-strength]")) {
  const input = document.getElementById(shown.dataset.for);
  const meter = shown.querySelector("meter");
  const words = shown.querySelector("[aria-live]");
  let timer = 0;
  let latest = 0;

  const judge = async () => {
    const mine = (latest += 1);
    const body = new URLSearchParams({
      csrf_token: input.form.elements.csrf_token.value,
      password: input.value,
    });
    const answer = await fetch(shown.dataset.strength, { method: "POST", body, headers: { Accept: "application/json" } });
    if (!answer.ok || mine !== latest) return;
    const said = await answer.json();
    meter.value = said.score;
    words.textContent = said.text;
    shown.hidden = false;
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    latest += 1;
    if (!input.value) {
      shown.hidden = true;
      return;
    }
    timer = setTimeout(() => judge().catch(() => {}), 350);
  });
}

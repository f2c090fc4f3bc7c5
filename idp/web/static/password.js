// Adds a button that shows the password. The page works without it.
for (const button of document.querySelectorAll("[data-shows]")) {
  const input = document.getElementById(button.dataset.shows);
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.textContent = shown ? button.dataset.hideText : button.dataset.showText;
  };
  button.addEventListener("click", () => {
    show(input.type === "password");
    input.focus();
  });
  // A browser must never remember or check the spelling of a visible password.
  input.form.addEventListener("submit", () => show(false));
  button.hidden = false;
}

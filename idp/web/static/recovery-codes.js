// Copy and print the recovery codes. Without a script people select and print them as on any page.

const codes = [...document.querySelectorAll("#recovery-codes li")].map((item) => item.textContent.trim());
const said = document.querySelector("#recovery-said");
const copy = document.querySelector("#recovery-copy");

copy.hidden = !navigator.clipboard;
copy.addEventListener("click", async () => {
  await navigator.clipboard.writeText(codes.join("\n"));
  said.setAttribute("role", "status");
  said.textContent = copy.dataset.done;
});
document.querySelector("#recovery-print").addEventListener("click", () => window.print());
document.querySelector("#recovery-actions").hidden = false;

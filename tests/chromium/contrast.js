// Evaluated in a page: how light its main part is, and how much every text differs from what is behind it.
() => {
  // A canvas turns any CSS colour (oklch, color-mix …) into four bytes, mixed with what is below it.
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const mixed = (colours) => {
    context.clearRect(0, 0, 1, 1);
    for (const colour of colours) {
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
    }
    return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  };

  // WCAG 2.2, relative luminance and contrast ratio.
  const luminance = (bytes) => {
    const [r, g, b] = bytes.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };

  const canvas = matchMedia("(prefers-color-scheme: dark)").matches ? "#121212" : "#ffffff";
  const behind = (element) => {
    const colours = [];
    for (let at = element; at; at = at.parentElement) colours.unshift(getComputedStyle(at).backgroundColor);
    return mixed([canvas, ...colours]);
  };

  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || !element.checkVisibility() || element.closest("script, style, [aria-hidden=true]")) continue;
    const back = behind(element);
    const front = mixed([`rgb(${back.join(" ")})`, getComputedStyle(element).color]);
    texts.push([ratio(front, back), text.slice(0, 40)]);
  }
  return { lightness: luminance(behind(document.querySelector("main"))), texts };
};

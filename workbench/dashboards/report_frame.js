// Draws ReportFrame. A frame without an address is bound by the page's policy, so its scripts need the page's nonce.
// The report follows the page's theme.
export function render({model}) {
  const frame = document.createElement("iframe")
  frame.title = model.heading
  frame.sandbox = "allow-scripts"
  frame.style = "width: 100%; height: max(480px, calc(100vh - 190px)); border: 0; border-radius: 4px"
  const nonce = document.querySelector("script[nonce]")?.nonce
  const element = /(<script\b)([\s\S]*?<\/script\s*>)/gi
  const page = nonce ? model.page.replace(element, (_, tag, rest) => `${tag} nonce="${nonce}"${rest}`) : model.page
  const root = document.documentElement
  const draw = () => {
    const theme = root.dataset.theme === "dark" ? "dark" : "light"
    if (frame.dataset.theme === theme) { return }
    frame.dataset.theme = theme
    frame.srcdoc = page.replace("<html ", () => `<html data-theme="${theme}" `)
  }
  draw()
  const following = new MutationObserver(draw)
  following.observe(root, {attributes: true, attributeFilter: ["data-theme"]})
  model.on("remove", () => following.disconnect())
  return frame
}

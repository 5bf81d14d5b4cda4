// Draws ReportFrame. A frame without an address is bound by the page's policy, so its scripts need the page's nonce.
export function render({model}) {
  const frame = document.createElement("iframe")
  frame.title = model.heading
  frame.sandbox = "allow-scripts"
  frame.style = "width: 100%; height: 80vh; min-height: 480px; border: 0; background: #ffffff; border-radius: 4px"
  const nonce = document.querySelector("script[nonce]")?.nonce
  const element = /(<script\b)([\s\S]*?<\/script\s*>)/gi
  frame.srcdoc = nonce ? model.page.replace(element, (_, tag, rest) => `${tag} nonce="${nonce}"${rest}`) : model.page
  return frame
}

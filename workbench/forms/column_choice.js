// Keeps which columns this browser does not show; their widths are kept by shell/tables.js.
// Panel hides columns of a table that has been drawn; of one that is being drawn it fails.
function isDrawn(root) {
  for (const each of root.querySelectorAll("*")) {
    if (each.classList.contains("tabulator-cell") || (each.shadowRoot && isDrawn(each.shadowRoot))) { return true }
  }
  return false
}

export function render({model}) {
  const read = () => {
    try { return JSON.parse(window.localStorage.getItem(model.key) ?? "[]") } catch { return [] }
  }
  const write = (text) => {
    try { window.localStorage.setItem(model.key, text) } catch { /* a browser that keeps nothing */ }
  }
  const kept = read()
  let isGone = false
  const hide = () => {
    if (isGone) { return }
    if (!isDrawn(document)) { setTimeout(hide, 50); return }
    model.hidden = kept.filter((name) => typeof name === "string")
  }
  model.on("remove", () => { isGone = true })
  if (Array.isArray(kept) && kept.length) { hide() }
  model.on("hidden", () => write(JSON.stringify(model.hidden)))
  model.on("msg:custom", () => {
    for (const key of Object.keys(window.localStorage)) {
      if (key === model.key || key.startsWith(`tabulator-${model.key}`)) { window.localStorage.removeItem(key) }
    }
    window.location.reload()
  })
  const none = document.createElement("span")
  none.hidden = true
  return none
}

// Keeps what is typed and not saved yet in the browser's tab: a reload, or another server, finds it there again.
// window.workbenchUnsaved names what must be asked about before the page is left (see the page's connection.js).
const LOOK_MS = 50

export function render({model}) {
  const key = `draft:${window.location.pathname}:${model.key}`
  const asked = (window.workbenchUnsaved = window.workbenchUnsaved || new Set())
  const keep = () => {
    if (model.text) { window.sessionStorage.setItem(key, model.text) } else { window.sessionStorage.removeItem(key) }
    if (model.text && model.asks) { asked.add(key) } else { asked.delete(key) }
  }
  // A field that is being drawn misses what it is given: the draft waits until all are there.
  const give = (kept) => {
    if (!Bokeh.documents.every((page) => page.is_idle)) {
      setTimeout(() => give(kept), LOOK_MS)
    } else if (!model.text) {
      model.kept = kept
    }
  }
  const kept = window.sessionStorage.getItem(key)
  if (kept && !model.text) { setTimeout(() => give(kept), LOOK_MS) } else { keep() }
  model.on("text", keep)
  const none = document.createElement("span")
  none.hidden = true
  return none
}

// Keeps the browser's address: a step of the user is an entry of the history, and Back brings the page there.
export function render({model}) {
  const put = () => {
    const [how, search] = [model.entry.slice(0, 1), model.entry.slice(1)]
    if (!search || search === window.location.search) { return }
    const url = window.location.pathname + search + window.location.hash
    if (how === "+") { window.history.pushState({}, "", url) } else { window.history.replaceState({}, "", url) }
  }
  let number = 0
  const popped = () => { number += 1; model.popped = `${number}${window.location.search || "?"}` }
  model.on("entry", put)
  put()
  window.addEventListener("popstate", popped)
  model.on("remove", () => window.removeEventListener("popstate", popped))
  const none = document.createElement("span")
  none.hidden = true
  return none
}

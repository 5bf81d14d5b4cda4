// The keys of the table of sales: Escape anywhere on it chooses no sale any more.
function isIn(event, kind) {
  return event.composedPath().some((each) => each.classList?.contains(kind))
}

export function render({model}) {
  const pressed = (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) { return }
    if (event.key === "Escape" && isIn(event, "sale-rows") && !isIn(event, "MuiDialog-root")) {
      model.send_msg("clear")
    }
  }
  window.addEventListener("keydown", pressed)
  model.on("remove", () => window.removeEventListener("keydown", pressed))
  const none = document.createElement("span")
  none.hidden = true
  return none
}

// Tells Visibility whether the page is visible.
export function render({model}) {
  const tell = () => { model.is_visible = document.visibilityState === "visible" }
  document.addEventListener("visibilitychange", tell)
  model.on("remove", () => document.removeEventListener("visibilitychange", tell))
  tell()
  const none = document.createElement("span")
  none.hidden = true
  return none
}

// panel-material-ui 0.16 draws calendars by the English of its date library, whose weeks begin on Sunday. They begin as
// WORKBENCH_WEEK_BEGINS says, which the page names here: told to that library, which a picker's context holds, before a
// calendar opens. Delete this when a DatePicker takes it.
document.addEventListener("DOMContentLoaded", () => {
  const weekStart = Number(document.documentElement.dataset.weekday)
  const tell = (event) => {
    const [node] = event.composedPath()
    const key = Object.keys(node).find((name) => name.startsWith("__reactFiber$"))
    for (let fiber = node[key]; fiber; fiber = fiber.return) {
      const day = fiber.memoizedProps?.value?.defaultDates?.minDate
      if (day?.$locale) { Object.assign(day.$locale(), {weekStart}) }
    }
  }
  for (const before of ["pointerdown", "keydown"]) { document.addEventListener(before, tell, true) }
}, {once: true})

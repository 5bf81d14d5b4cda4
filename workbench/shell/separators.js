// Bokeh writes the numbers of an axis as in English, whatever the language: its catalogue of others is not shipped with it.
// The page names the signs that stand in the numbers here (workbench/locale). Neither Bokeh nor Tabulator knows groups of two
// beyond the thousands, as in 12,34,567.
window.workbenchGroups = (text) => {
  if (document.documentElement.dataset.beyond !== "2") { return text }
  return text.replace(/\d+(?:,\d{3})+/g, (whole) => whole.replaceAll(",", "").replace(/\B(?=(?:\d\d)+\d$)/g, ","))
}
document.addEventListener("DOMContentLoaded", () => {
  const {decimal, group} = document.documentElement.dataset
  const formatter = Bokeh.Models.get("NumeralTickFormatter").prototype
  const format = formatter.doFormat
  const signs = {".": decimal, ",": group}
  formatter.doFormat = function (...given) {
    return format.apply(this, given).map((text) => window.workbenchGroups(text).replace(/[.,]/g, (sign) => signs[sign]))
  }
}, {once: true})

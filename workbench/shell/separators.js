// Bokeh writes the numbers of an axis as in English, whatever the language: its catalogue of others is not shipped with it.
// The page names the signs that stand in the numbers here (workbench/locale).
document.addEventListener("DOMContentLoaded", () => {
  const {decimal, group} = document.documentElement.dataset
  const formatter = Bokeh.Models.get("NumeralTickFormatter").prototype
  const format = formatter.doFormat
  const signs = {".": decimal, ",": group}
  formatter.doFormat = function (...given) {
    return format.apply(this, given).map((text) => text.replace(/[.,]/g, (sign) => signs[sign]))
  }
}, {once: true})

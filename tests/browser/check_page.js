() => {
  const wrong = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > root.clientWidth + 1);
    wrong.push("scrolls sideways: " + root.scrollWidth + " " + wide.slice(-3).map(e => e.outerHTML.slice(0, 120)).join(" | "));
  }
  if (document.querySelectorAll("h1").length !== 1) wrong.push("not one h1");
  if (document.querySelector("[style], script:not([src]), [onclick]")) wrong.push("inline style or script");
  const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
  for (const id of new Set(ids)) if (ids.filter(x => x === id).length > 1) wrong.push("id twice: " + id);
  for (const e of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
    if (!e.labels.length) wrong.push("no label: " + e.name);
  for (const e of document.querySelectorAll("[aria-describedby]"))
    for (const id of e.getAttribute("aria-describedby").split(" "))
      if (!document.getElementById(id)) wrong.push("describes nothing: " + id);
  for (const e of document.querySelectorAll("button, .button, input:not([type=hidden]):not([type=checkbox]):not([type=radio]), select, summary")) {
    const box = e.getBoundingClientRect();
    if (box.height && box.height < 43.5) wrong.push("small target: " + (e.textContent || e.name).trim() + " " + box.height);
  }
  for (const e of document.querySelectorAll(".state, .notice, .card"))
    if (parseFloat(getComputedStyle(e).paddingLeft) < 8) wrong.push("text at the edge: " + e.className);
  for (const e of document.querySelectorAll("main a[href^='#'], main [href='']"))
    if (!document.getElementById(decodeURIComponent(e.getAttribute("href").slice(1)))) wrong.push("leads nowhere: " + e.href);
  return wrong;
}

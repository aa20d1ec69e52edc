// A link to a section opens what the section folds away.
function unfold() {
  const target = document.getElementById(location.hash.slice(1));
  for (const fold of target?.closest("section")?.querySelectorAll("details.more") ?? []) fold.open = true;
}
addEventListener("hashchange", unfold);
unfold();

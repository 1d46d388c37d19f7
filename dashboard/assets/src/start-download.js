// A file that was being prepared while somebody looked begins to come by itself, once.
export function startDownloads(root) {
  for (const link of root.querySelectorAll("a[data-start-download]")) {
    link.removeAttribute("data-start-download");
    link.click();
  }
}

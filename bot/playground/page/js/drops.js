// Files that come by paste or by drop.

/**
 * @param {HTMLElement} field where pasting counts
 * @param {HTMLElement} zone where dropping counts
 * @param {(files: FileList|File[]) => void} take
 */
export function takeFilesFrom(field, zone, take) {
  field.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    take(files);
  });
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  zone.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    zone.classList.add("is-dropping");
  });
  zone.addEventListener("dragleave", (event) => {
    if (!zone.contains(event.relatedTarget)) zone.classList.remove("is-dropping");
  });
  zone.addEventListener("drop", (event) => {
    zone.classList.remove("is-dropping");
    if (!carriesFiles(event)) return;
    event.preventDefault();
    take(event.dataTransfer.files);
  });
}

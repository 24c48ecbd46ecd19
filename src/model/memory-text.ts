/** `48 MB`, `1.2 GB`: units of 1024, as `docker stats` and `top` have them. */
export function memoryText(bytes: number): string {
  const mega = bytes / 1024 / 1024
  return mega < 1024 ? `${Math.round(mega)} MB` : `${(mega / 1024).toFixed(1)} GB`
}

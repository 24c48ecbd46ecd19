/** Returns the name of a run for people: its template's name or folder, and `--name` if that differs. */
export function shownNameOf({template: {name, file}, name: called}: NamedRun): string {
  const folder = file.split('/').at(-2) ?? ''
  const own = name || folder
  return called === '' || called === folder || called === own ? own : [own, called].filter(Boolean).join(' · ')
}

interface NamedRun {
  readonly name: string
  readonly template: {readonly name: string; readonly file: string}
}

import {writeFileSync} from 'node:fs'
import {join} from 'node:path'

/** Where scenes are kept; undefined: nowhere. `npm run docs` draws its pictures from them. */
const folder = process.env['PILLION_SCENES']

export interface KeptScene {
  readonly command: string
  /** The width of the terminal. */
  readonly columns: number
  /** The bytes that were shown. */
  readonly shown: string
}

/** Keeps what a terminal showed for a command, as the picture `name` of the documents. */
export function keepScene(name: string, scene: KeptScene): void {
  if (folder !== undefined) writeFileSync(join(folder, `${name}.json`), JSON.stringify(scene))
}

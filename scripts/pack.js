// Writes dist/program, the program of the npm package: parts, libraries and files of the page in one file, which bin/start.cjs reads.
import {createHash} from 'node:crypto'
import {mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {bundleParts, FILES, LIBRARIES, PARTS} from './parts.js'

const FOLDER = 'build/dist'
/** Brotli's best quality takes ten seconds for 2 % less. */
const QUALITY = 9

export async function packProgram() {
  rmSync(FOLDER, {recursive: true, force: true})
  mkdirSync(FOLDER, {recursive: true})
  await bundleParts(FOLDER, {target: 'node22', quality: QUALITY})
  const code = [...PARTS, ...LIBRARIES].map(({name}) => [`${name}.cjs`, readFileSync(join(FOLDER, `${name}.cjs`))])
  const page = readdirSync('dist/page').map(name => [`page/${name}`, readFileSync(join('dist/page', name))])
  rmSync(FOLDER, {recursive: true})
  const places = {}
  let offset = 0
  for (const [name, {length}] of [...code, ...page]) {
    places[name] = [offset, length]
    offset += length
  }
  const bytes = Buffer.concat([...code, ...page].map(([, each]) => each))
  const id = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
  const head = JSON.stringify({places, libraries: FILES, id})
  writeFileSync('dist/program', Buffer.concat([Buffer.from(`${head.length + 8}`.padStart(8) + head), bytes]))
}

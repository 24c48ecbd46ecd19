import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {gunzipSync} from 'node:zlib'
import {assetOf} from '../../platform/own-program.ts'

/** A file of the page. */
export interface PageFile {
  readonly type: string
  readonly gzip: Buffer
}

/** Reads a file that the build wrote: from the program, or from `dist` if the source runs. */
const read = (name: string): Buffer =>
  assetOf(`page/${name}`) ?? readFileSync(join(import.meta.dirname, '../../../dist/page', name))

let files: ReadonlyMap<string, PageFile> | undefined

/** The file of the page at a path. The build has written the list of paths: none is made from a request. */
export function pageFile(path: string): PageFile | undefined {
  files ??= new Map(
    Object.entries(JSON.parse(read('files.json').toString()) as Record<string, {file: string; type: string}>).map(
      ([at, {file, type}]) => [at, {type, gzip: read(file)}]
    )
  )
  return files.get(path)
}

const plain = new Map<PageFile, Buffer>()

/** The bytes for clients that do not accept gzip. */
export function plainBytes(file: PageFile): Buffer {
  const bytes = plain.get(file) ?? gunzipSync(file.gzip)
  plain.set(file, bytes)
  return bytes
}

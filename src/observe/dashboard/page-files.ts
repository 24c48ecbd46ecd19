import {readFileSync} from 'node:fs'
import {gunzipSync} from 'node:zlib'

/** A file of the page. */
export interface PageFile {
  readonly type: string
  readonly gzip: Buffer
}

/** A file that the build wrote: in `dist`, wherever in `dist` or `src` this runs, or an asset of the executable. */
function read(name: string): Buffer {
  const sea = process.getBuiltinModule('node:sea')
  if (sea.isSea()) return Buffer.from(sea.getRawAsset(`page/${name}`))
  return readFileSync(new URL(import.meta.url.replace(/(.*)\/(?:src|dist)\/.*/, `$1/dist/page/${name}`)))
}

let files: ReadonlyMap<string, PageFile> | undefined

/** The file of the page at a path. The build has written which paths there are: none is ever made from what a request says. */
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

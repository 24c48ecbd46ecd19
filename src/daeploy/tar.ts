/** A file, folder or link of an archive; its path is relative and stays below the folder it is unpacked in. */
export interface TarEntry {
  readonly path: string
  readonly kind: 'file' | 'folder' | 'link'
  readonly isExecutable: boolean
  readonly bytes: Buffer
  /** Where a link leads, '' for others. */
  readonly leadsTo: string
}

const BLOCK = 512

/** Reads a tar archive: ustar, with the long names of GNU tar and pax. Throws for what is none, and for what leaves its folder. */
export function readTar(archive: Buffer): readonly TarEntry[] {
  const entries: TarEntry[] = []
  let longName = ''
  let longLink = ''
  for (let at = 0; at + BLOCK <= archive.length;) {
    const head = archive.subarray(at, at + BLOCK)
    if (head.every(byte => byte === 0)) break
    if (!hasChecksum(head)) throw new Error('it is no tar archive')
    const size = sizeIn(head)
    const bytes = archive.subarray(at + BLOCK, at + BLOCK + size)
    if (bytes.length < size) throw new Error('it is cut off')
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
    const type = String.fromCharCode(head[156] ?? 0)
    if (type === 'L') longName = textIn(bytes)
    else if (type === 'K') longLink = textIn(bytes)
    else if (type === 'x') {
      const pax = paxIn(bytes)
      longName = pax['path'] ?? longName
      longLink = pax['linkpath'] ?? longLink
    } else if (type !== 'g') {
      const entry = entryOf({
        head,
        bytes,
        type,
        path: longName || nameIn(head),
        leadsTo: longLink || textIn(head.subarray(157, 257))
      })
      if (entry !== undefined) entries.push(entry)
      longName = ''
      longLink = ''
    }
  }
  return entries
}

interface Found {
  readonly head: Buffer
  readonly bytes: Buffer
  readonly type: string
  readonly path: string
  readonly leadsTo: string
}

function entryOf({head, bytes, type, path: written, leadsTo}: Found): TarEntry | undefined {
  const path = below(written)
  if (path === '') return undefined
  const isExecutable = (octal(head.subarray(100, 108)) & 0o100) !== 0
  switch (type) {
    case '0':
    case '\0':
    case '7':
      return {path, kind: 'file', isExecutable, bytes, leadsTo: ''}
    case '5':
      return {path, kind: 'folder', isExecutable: true, bytes: Buffer.alloc(0), leadsTo: ''}
    case '2':
      // from the folder of the link itself
      below(`${path.split('/').slice(0, -1).join('/')}/${leadsTo}`.replace(/^\//, ''), leadsTo)
      return {path, kind: 'link', isExecutable: false, bytes: Buffer.alloc(0), leadsTo}
    default:
      throw new Error(`${path} is neither a file nor a folder nor a symbolic link`)
  }
}

/** The path without `.` and `..`; one that leads out of its folder is refused. */
function below(path: string, shownAs = path): string {
  const parts: string[] = []
  if (path === '/' && shownAs === '/') return '' // the folder itself, as Python's tarfile names it
  if (path.startsWith('/') || shownAs.startsWith('/')) throw new Error(`${shownAs} leaves the folder`)
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) throw new Error(`${shownAs} leaves the folder`)
  }
  return parts.join('/')
}

const textIn = (bytes: Buffer): string => {
  const end = bytes.indexOf(0)
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end)
}

function nameIn(head: Buffer): string {
  const prefix =
    head.toString('latin1', 257, 262) === 'ustar' && head[263] === 48 ? textIn(head.subarray(345, 500)) : ''
  const name = textIn(head.subarray(0, 100))
  return prefix === '' ? name : `${prefix}/${name}`
}

const octal = (bytes: Buffer): number => Number.parseInt(textIn(bytes).trim() || '0', 8)

/** In octal digits, or as GNU writes large ones: binary behind a set bit. */
function sizeIn(head: Buffer): number {
  const field = head.subarray(124, 136)
  return ((field[0] ?? 0) & 0x80) === 0 ? octal(field) : Number(field.readBigUInt64BE(4))
}

function hasChecksum(head: Buffer): boolean {
  let sum = 0
  for (let at = 0; at < BLOCK; at++) sum += at >= 148 && at < 156 ? 32 : (head[at] ?? 0)
  return sum === octal(head.subarray(148, 156))
}

/** `<length> <key>=<value>\n`, the length in bytes and counting itself. */
function paxIn(bytes: Buffer): Readonly<Record<string, string>> {
  const records: Record<string, string> = {}
  for (let at = 0; at < bytes.length;) {
    const length = Number.parseInt(bytes.toString('latin1', at, at + 20), 10)
    if (!(length > 0)) break
    const record = bytes.toString('utf8', bytes.indexOf(32, at) + 1, at + length - 1)
    records[record.slice(0, record.indexOf('='))] = record.slice(record.indexOf('=') + 1)
    at += length
  }
  return records
}

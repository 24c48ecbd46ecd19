'use strict'
// Runs the program of the npm package: all of its parts are in the one file dist/program, which starts with their places.
const fs = require('node:fs')
const {join} = require('node:path')
const {pathToFileURL} = require('node:url')
const {load} = require('./load.cjs')

/** Time after which the code of a command that stays is complete, in ms. A run says itself that its start is complete. */
const STARTED_MS = 3000
const {HOME = '', XDG_CACHE_HOME = ''} = process.env
/** Folders for V8's code: beside the program, or the user's cache if the program's folder is read-only. */
const FOLDERS = [join(__dirname, '../.cache')]
if (HOME + XDG_CACHE_HOME !== '') FOLDERS.push(join(XDG_CACHE_HOME || join(HOME, '.cache'), 'pillion'))

// The file stays open, so that a run still finds all of its code after an upgrade has replaced the file.
const file = fs.openSync(join(__dirname, '../dist/program'))
const read = (offset, length) => {
  const bytes = Buffer.allocUnsafeSlow(length)
  fs.readSync(file, bytes, 0, length, offset)
  return bytes
}
const start = Number(read(0, 8).latin1Slice())
const {places, libraries, id} = JSON.parse(read(8, start - 8).latin1Slice())
const assetOf = name => read(start + places[name][0], places[name][1])

/** The first bytes of a file of code: V8 refuses code of another Node, but takes that of another program of the same length. */
const HEAD = Buffer.from(`${id} ${process.version} ${process.arch}\n`)
const isRun = process.argv.includes('run') || process.argv.includes('up')
/** A run and all other commands keep code of their own: each needs what the other one does not. */
const pathOf = (folder, part) => join(folder, `${part}${isRun ? '-run' : ''}.code`)

function codeOf(part) {
  for (const folder of FOLDERS)
    try {
      const bytes = fs.readFileSync(pathOf(folder, part))
      if (bytes.subarray(0, HEAD.length).equals(HEAD)) return bytes.subarray(HEAD.length)
    } catch {}
  return undefined
}

function write(path, bytes) {
  try {
    fs.mkdirSync(join(path, '..'), {recursive: true})
    fs.writeFileSync(`${path}.${process.pid}`, bytes)
    fs.renameSync(`${path}.${process.pid}`, path)
    return true
  } catch {
    return false
  }
}

function keepCode(script, part) {
  if (script.cachedDataRejected === false) return
  const keep = () => {
    clearTimeout(timer)
    globalThis.pillionStarted = undefined
    process.off('exit', keep)
    const bytes = Buffer.concat([HEAD, script.createCachedData()])
    FOLDERS.some(folder => write(pathOf(folder, part), bytes))
  }
  // a run that is up has other flags of V8, with which the next start could not use its code
  const timer = isRun ? undefined : setTimeout(keep, STARTED_MS).unref()
  globalThis.pillionStarted = keep
  process.on('exit', keep)
}

load({assetOf, libraries, ownUrl: pathToFileURL(__filename).href, codeOf, keepCode})

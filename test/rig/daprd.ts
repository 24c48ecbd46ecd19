import {spawnSync} from 'node:child_process'
import {chmodSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import type {Rig} from './rig.ts'

/** A real daprd of this machine: where the variable DAPRD says, or in the PATH; '' = there is none. */
const REAL =
  (process.env['DAPRD'] ?? '') || spawnSync('sh', ['-c', 'command -v daprd'], {encoding: 'utf8'}).stdout.trim()

/** Why a test that needs a real daprd is skipped. */
export const skipWithoutDaprd = REAL === '' && 'no daprd is installed (DAPRD names one)'

const placeIn = (rig: Rig): string => {
  const folder = join(rig.home, '.dapr/bin')
  mkdirSync(folder, {recursive: true})
  return join(folder, 'daprd')
}

/** Puts the real daprd where `dapr init` puts it. */
export const installDaprd = (rig: Rig): void => symlinkSync(REAL, placeIn(rig))

/** Puts a script there that only says that it is a daprd. */
export function fakeDaprd(rig: Rig, version: string, script: string): void {
  const path = placeIn(rig)
  writeFileSync(path, `#!/bin/sh\nif [ "$1" = --version ]; then echo ${version}; exit; fi\n${script}\n`)
  chmodSync(path, 0o755)
}

/** A PATH without a daprd, for a machine that has one. */
export const PLAIN_PATH = `${dirname(process.execPath)}:/usr/bin:/bin`

/** The processes of the daprds next to the apps of a rig. */
export function daprdsOf(rig: Rig): readonly number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && isDaprdOf(rig, name))
    .map(Number)
}

function isDaprdOf({runtimeDir}: Rig, pid: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return (
      words.includes('--unix-domain-socket') &&
      words.some(word => word.startsWith(runtimeDir)) &&
      readlinkSync(`/proc/${pid}/exe`) !== ''
    )
  } catch {
    return false // it has ended
  }
}

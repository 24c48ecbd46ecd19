import {realpathSync} from 'node:fs'
import {delimiter} from 'node:path'
import type {Environment} from '../../model/environment.ts'
import {findProgram} from '../../platform/program-version.ts'
import {note, type Check} from './check.ts'

/** Checks this installation: an untested system, a second installation. */
export function checkInstallation(env: Environment, system: string = process.platform): readonly Check[] {
  const [first, ...others] = pillionsIn(env['PATH'] ?? '')
  return [
    ...(system === 'darwin'
      ? [
          note(
            'on macOS this is tested against stand-ins of the system’s tools alone: it has not run on a Mac yet',
            'Please report what goes wrong.'
          )
        ]
      : []),
    ...(others.length > 0
      ? [
          note(
            `PATH has several pillions: ${[first, ...others].join(', ')}`,
            'Shells start the first. Remove the others, or upgrade them, too.'
          )
        ]
      : [])
  ]
}

/** Each once, though several folders may lead to it. */
const pillionsIn = (searchPath: string): ReadonlySet<string> =>
  new Set(
    searchPath.split(delimiter).flatMap(folder => {
      const path = findProgram('pillion', folder)
      return path === undefined ? [] : [realpathSync(path)]
    })
  )

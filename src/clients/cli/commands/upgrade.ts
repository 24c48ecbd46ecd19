import {realpathSync} from 'node:fs'
import {basename, dirname} from 'node:path'
import {UserError} from '../../../model/errors.ts'
import {runScript} from '../../../platform/run-script.ts'
import {type CommandHandler, UsageError} from '../command-handler.ts'
import {signedLine} from '../print.ts'

/**
 * `upgrade --from PLACE`: puts the executable of another release in this one's place, by the script that installs (`scripts/install.sh`).
 * Replaces this executable only if the checksum of the other one is right and it starts. The exit code is the script's.
 */
export const upgrade: CommandHandler = async ({flags}) => {
  const sea = process.getBuiltinModule('node:sea')
  if (!sea.isSea())
    throw new UserError('only the single executable replaces itself', {
      explanation: 'With npm: npm install --global pillion@latest. In a clone: git pull && npm ci.'
    })
  const executable = realpathSync(process.execPath)
  if (executable === '/usr/bin/pillion')
    throw new UserError(`${executable} belongs to a package of this system`, {
      explanation: 'Its package manager replaces it: apt-get install ./FILE.deb, or dnf install ./FILE.rpm.'
    })
  if (basename(executable) !== 'pillion')
    throw new UserError(`this executable is ${executable}`, {
      explanation: 'One that is called pillion can be replaced.'
    })
  const from = flags.text('from')
  if (from === undefined) throw new UsageError('where are the files of the release? --from PLACE, a folder or a URL')
  return runScript(sea.getAsset('install.sh', 'utf8'), ['--from', from, '--to', dirname(executable)])
}

/** Prints a message and changes nothing. */
const nothing =
  (message: string): CommandHandler =>
  async ({asJson}) => {
    process.stdout.write(signedLine('success', message, asJson))
    return Promise.resolve(0)
  }

/** `init`: does nothing, for scripts and CI that call `dapr init` first. */
export const init = nothing('Nothing to install: Pillion contains the sidecars. No file was written.')

/** `uninstall`: does nothing, also to an installation of Dapr's own CLI. */
export const uninstall = nothing('Nothing to uninstall: nothing was installed. No file was removed.')

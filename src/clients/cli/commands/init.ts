import type {CommandHandler} from '../command-handler.ts'
import {signedLine} from '../print.ts'

/** A command that does nothing but say so. */
const nothing =
  (message: string): CommandHandler =>
  async ({asJson}) => {
    process.stdout.write(signedLine('success', message, asJson))
    return Promise.resolve(0)
  }

/** `init`: scripts and CI call it first. */
export const init = nothing('Nothing to install: Pillion contains the sidecars. No file was written.')

/** `uninstall`: leaves the installation of Dapr's own CLI. */
export const uninstall = nothing('Nothing to uninstall: nothing was installed. No file was removed.')

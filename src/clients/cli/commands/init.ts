import type {CommandHandler} from '../command-handler.ts'
import {signedLine} from '../print.ts'

/** `init`: does nothing; scripts and CI call it first. */
export const init: CommandHandler = async ({asJson}) => {
  const message = 'Nothing to install: Pillion contains the sidecars. No file was written.'
  process.stdout.write(signedLine('success', message, asJson))
  return 0
}

/** `uninstall`: does nothing; what Dapr's own CLI installed stays. */
export const uninstall: CommandHandler = async ({asJson}) => {
  process.stdout.write(
    signedLine('success', 'Nothing to uninstall: nothing was installed. No file was removed.', asJson)
  )
  return 0
}

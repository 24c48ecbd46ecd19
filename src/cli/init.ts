import type {CommandHandler} from './command-handler.ts'
import {statusLine} from './print.ts'

/** `init`: scripts and CI call it before anything else. */
export const init: CommandHandler = async ({asJson}) => {
  const message = 'Nothing to install: every app has its sidecar as soon as it is run. No file was written.'
  process.stdout.write(statusLine('success', message, asJson))
  return 0
}

/** `uninstall`: what Dapr's own CLI has installed is left alone. */
export const uninstall: CommandHandler = async ({asJson}) => {
  process.stdout.write(
    statusLine('success', 'Nothing to uninstall: nothing was installed. No file was removed.', asJson)
  )
  return 0
}

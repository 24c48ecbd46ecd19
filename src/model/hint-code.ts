/** Code of a hint: the text behind an error that names the next step. The code stays when the wording changes; `npm run docs` writes `docs/messages.md` from it. */
export type HintCode =
  | 'agree' // The command would change something, and cannot ask here. The hint names the flag that agrees.
  | 'answer' // The text is the answer of an app or its sidecar, as it is.
  | 'app-stopped' // The app is stopped. The hint names the command that starts it.
  | 'folder' // A folder or file that Pillion needs cannot be used.
  | 'no-port' // The app has no port or name at which it can be called.
  | 'no-run' // The folder has no run. The hint names the command that starts its template, or says what runs elsewhere.
  | 'no-such-app' // No run, or no template, has an app of this id.
  | 'no-such-run' // No run has the name that `--name` gives.
  | 'no-template' // The folder has no template. The hint says how to write or name one.
  | 'no-terminal' // The command reads keys, and there is no terminal.
  | 'not-found' // The run does not know this call, exit, fault or instance.
  | 'not-now' // The state of the app or of the call does not allow it now.
  | 'port-taken' // A port that the template asks for is in use.
  | 'run-differs' // A run is here, and has another template, other flags or other apps than this command asks for.
  | 'run-silent' // A run is suspended or does not answer. The hint says how to resume or end it.
  | 'several-runs' // Several runs could be meant. The hint names the flag that selects one.
  | 'starting' // The run is starting. `pillion wait --for ready` waits for it.
  | 'wrong-value' // All others: an argument, a flag, a filter, a file or the machine is not as the command needs it. The hint says what is expected.

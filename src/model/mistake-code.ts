/** Every mistake in a template has a code that does not change when its wording does. Its kind and meaning follow it: `npm run docs` writes `docs/messages.md` from it. */
export type MistakeCode =
  | 'by-daprd' // warning: A component of a type that Pillion does not have: a real daprd serves it next to the app.
  | 'command-not-found' // warning: The program of an app's `command` does not exist.
  | 'conflicting-keys' // error: Two values do not work together, or one needs another key.
  | 'control-character' // error: The text contains NUL or another control character.
  | 'dependency-cycle' // error: `dependsOn` is circular.
  | 'duplicate-app-id' // warning: Two entries of different programs have the same `appID`: they are instances of one app.
  | 'duplicate-app-port' // warning: Two apps have the same `appPort`.
  | 'duplicate-key' // warning: A key is written twice. The last one counts, of `env` both.
  | 'duplicate-name' // error: Two apps have one host name.
  | 'duplicate-port' // error: Two sidecars have the same port, or a `port` is wanted twice.
  | 'ignored-key' // warning: A key has no effect there, although Dapr's documentation or another section knows it.
  | 'interpolation' // error: `${` without `}`, without a name, or of a variable that must be set.
  | 'invalid-utf8' // error: The file is not UTF-8.
  | 'invalid-value' // error: A value is not among those of its key.
  | 'invalid-yaml' // error: The text is not valid YAML.
  | 'missing-key' // error: A required key is missing.
  | 'no-actor-store' // warning: The template has workflows (an earlier run has kept some, or a resource is about them), and no Component has `actorStateStore: "true"`, which a real Dapr needs for them.
  | 'no-apps' // error: The template has no apps.
  | 'no-component' // warning: The template's `conversation`, a Subscription, an outbox or a `secretStore` names a component that the app does not have.
  | 'needs-profile' // error or warning: An app depends on an app that starts only with a profile. `run` and `validate` refuse it unless the profile is asked for: `--profile`. A warning if the app itself has profiles, too.
  | 'no-effect' // warning: A key of the template, or a resource, is read but has no effect.
  | 'no-shell' // warning: A command has `|`, `&&` or `>` as an argument, is one word with blanks, or begins with `NAME=`: only a shell understands that.
  | 'no-terminal' // error: An app has `tty: true`, and here Pillion can open no terminal. The app is not started.
  | 'not-interpolated' // warning: A value contains `${…}`, and the template does not say `interpolate: true`.
  | 'odd-app-id' // warning: An `appID` has characters that do not pass through URLs and headers as they are. With a dot, Dapr does not start the app.
  | 'own-port' // warning: The `env` of an app with `autoPort` sets `PORT` or `APP_PORT`, or a command names `$PORT` where the app has an `appPort`: the app gets another number.
  | 'path-not-found' // error: A file or folder does not exist, or is of the wrong kind.
  | 'replaced-here' // warning: A value of a resource file contains `${…}`, which Pillion replaces (`interpolate: true`) and Dapr does not.
  | 'resource-mistake' // warning: A resource file has a mistake.
  | 'second-document' // warning: The file contains a second YAML document, which is not read.
  | 'template-unreadable' // error: The file cannot be found or read.
  | 'unknown-dependency' // error: `dependsOn` names an app that the template does not have.
  | 'unknown-format' // warning: `version` is not 1. The template is read as version 1.
  | 'unknown-key' // error or warning: A key is unknown. At the top level, in `common` and in an app it is ignored, unless the app lacks its `command` by it; inside a value of Pillion's keys it is an error.
  | 'unread-line' // warning: A line of an env file is neither NAME=value nor a comment. The line has no effect.
  | 'unset-variable' // warning: A variable that the template interpolates is not set. Its value is empty.
  | 'watch-matches-nothing' // warning: A glob of `watch` matches no file that can be watched.
  | 'wrong-type' // error: A value has the wrong type.

/** What an app of the walk is: a program with a port, one without, one that ends at once, or a sidecar alone. */
export type Kind = 'server' | 'worker' | 'job' | 'sidecar'

export interface Entry {
  readonly id: string
  readonly folder: string
  readonly kind: Kind
  readonly env: Readonly<Record<string, string>>
  /** Further keys of the entry, as the template has them. */
  readonly keys: Readonly<Record<string, unknown>>
  /** It reads `.env` in its folder. */
  readonly readsFile: boolean
}

export interface Template {
  readonly apps: readonly Entry[]
  readonly common: Readonly<Record<string, string>>
  /** Keys of `common` besides `env`. */
  readonly commonKeys: Readonly<Record<string, unknown>>
  readonly comment: string
}

/** The command of a kind of app, which each world has of its own. */
export type Commands = Readonly<Record<Kind, readonly string[]>>

/** JSON is YAML; a line for each app, so that a person sees what an edit changes. */
export function textOf({apps, common, commonKeys, comment}: Template, commands: Commands): string {
  const lines = apps.map(entry => `  - ${JSON.stringify(written(entry, commands))}\n`)
  return `# ${comment}\nversion: 1\ncommon: ${JSON.stringify({env: common, ...commonKeys})}\napps:\n${lines.join('')}`
}

const written = ({id, folder, kind, env, keys, readsFile}: Entry, commands: Commands): object => ({
  appID: id,
  appDirPath: folder,
  ...(kind === 'sidecar' ? {} : {command: commands[kind]}),
  ...(kind === 'server' ? {autoPort: true} : {}),
  ...(readsFile ? {envFile: '.env'} : {}),
  env,
  ...keys
})

/** What a person who breaks the template writes. */
export const brokenText = (text: string): string => `${text}  - {appID: [\n`

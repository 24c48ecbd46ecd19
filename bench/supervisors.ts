import {peer} from './peers.ts'

/** A program that a supervisor starts. */
export interface Entry {
  readonly id: string
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** How a supervisor is told what to start: files in the folder where it starts, and its command. */
export interface Setup {
  readonly files: Readonly<Record<string, string>>
  readonly command: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export interface Supervisor {
  readonly name: string
  /** Ends when its programs have ended. */
  readonly endsWithApps: boolean
  /** Undefined: it is not on this machine, and cannot be fetched. */
  readonly setup: (entries: readonly Entry[], folder: string) => Promise<Setup | undefined>
}

const template = (entries: readonly Entry[]): string =>
  JSON.stringify({version: 1, apps: entries.map(({id, ...more}) => ({appID: id, appDirPath: '.', ...more}))})

/** What a shell needs to become the program. */
const inShell = ({command, env}: Entry): string =>
  ['exec env', ...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...command].join(' ')

/** A peer whose command is known, or what stands on the PATH. */
const ofPeer =
  (name: string, setup: (command: readonly string[], entries: readonly Entry[], folder: string) => Setup) =>
  async (entries: readonly Entry[], folder: string): Promise<Setup | undefined> => {
    const command = await peer(name)
    return command && setup(command, entries, folder)
  }

export const OURS = (program: readonly string[], entries: readonly Entry[]): Setup => ({
  files: {'dapr.yaml': template(entries)},
  command: [...program, 'run', '-f', '.']
})

export const SUPERVISORS: readonly Supervisor[] = [
  {
    name: 'concurrently',
    endsWithApps: true,
    setup: ofPeer('concurrently', (command, entries) => ({
      files: {},
      command: [...command, '-n', entries.map(({id}) => id).join(','), ...entries.map(inShell)]
    }))
  },
  {
    name: 'process-compose',
    endsWithApps: true,
    setup: ofPeer('process-compose', (command, entries) => ({
      files: {
        'process-compose.yaml': JSON.stringify({
          version: '0.5',
          processes: Object.fromEntries(entries.map(entry => [entry.id, {command: inShell(entry)}]))
        })
      },
      command: [...command, 'up', '--tui=false', '--no-server']
    }))
  },
  {
    name: 'pm2',
    endsWithApps: false,
    setup: ofPeer('pm2', (command, entries, folder) => ({
      files: {
        'ecosystem.config.json': JSON.stringify({
          apps: entries.map(({id, command: [script, ...args], env}) => ({
            name: id,
            script,
            args,
            env,
            interpreter: 'none'
          }))
        })
      },
      command: [...command, 'ecosystem.config.json'],
      env: {PM2_HOME: `${folder}/.pm2`}
    }))
  }
]

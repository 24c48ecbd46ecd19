import {boolFlag, hiddenFlag, outputFlag, textFlag, whichRun, type Flag} from '../flag.ts'
import {SOCKET, type CommandEntry} from './command-entry.ts'

const WHICH_RUN = whichRun('Path to the run template of the services', 'f')

/** Returns flags that have no effect and are not in the help. `names`: separated by spaces, some with a short form: `namespace/n`. */
const hiddenFlags = (type: Flag['type'], names: string): readonly Flag[] =>
  names.split(' ').map(each => {
    const [name = '', short] = each.split('/')
    return hiddenFlag(name, type, short)
  })

/** Commands for services of Daeploy and for one app, and commands of Dapr's CLI that have nothing to do here. */
export const OTHER_COMMANDS: readonly CommandEntry[] = [
  {
    name: 'ls',
    summary: 'List Daeploy services with main and shadow versions',
    usage: '[name [version]] [flags]',
    flags: WHICH_RUN,
    examples: ['ls', 'ls hello 1.0.0'],
    load: async () => (await import('../commands/services.ts')).ls
  },
  {
    name: 'assign',
    summary: 'Make a version of a Daeploy service its main version',
    usage: 'name version [flags]',
    flags: [...WHICH_RUN, boolFlag('yes', 'Accepted for scripts; there is no prompt', 'y')],
    examples: ['assign hello 2.0.0'],
    load: async () => (await import('../commands/services.ts')).assign
  },
  {
    name: 'notifications',
    summary: 'List the notifications of Daeploy services',
    flags: [outputFlag(['table', 'json'], {refusal: 'dapr'}), ...WHICH_RUN],
    examples: ['notifications', 'notifications -o json'],
    load: async () => (await import('../commands/services.ts')).notifications
  },
  {
    name: 'redis',
    summary: 'Run only the built-in Redis. The default port is 6379',
    usage: '[port] [flags]',
    flags: [boolFlag('off', 'Ask the run that holds the port to release it for the rest of the run')],
    examples: ['redis', 'redis 6380', 'redis --off'],
    load: async () => (await import('../commands/redis.ts')).redis
  },
  {
    name: 'invoke',
    summary: "Call an app through Dapr's invocation API",
    // `cmd/invoke.go` of Dapr's CLI.
    flags: [
      textFlag('app-id', 'The application id to invoke', 'a'),
      textFlag('data', 'The JSON serialized data string (optional)', 'd'),
      textFlag('data-file', 'A file containing the JSON serialized data (optional)', 'f'),
      textFlag('method', 'The method to invoke', 'm'),
      ...whichRun('The run template of the app'),
      SOCKET,
      textFlag('verb', 'The HTTP verb to use', {short: 'v', shown: '"POST"'})
    ],
    required: ['app-id', 'method'],
    examples: [
      `invoke --app-id shop --method orders --data '{"id": 7}'`,
      'invoke --app-id shop --method orders --verb GET'
    ],
    load: async () => (await import('../commands/invoke.ts')).invoke
  },
  {
    name: 'publish',
    summary: 'Publish an event to a topic',
    // `cmd/publish.go` of Dapr's CLI.
    flags: [
      textFlag('data', 'The JSON serialized data string (optional)', 'd'),
      textFlag('data-file', 'A file containing the JSON serialized data (optional)', 'f'),
      textFlag('metadata', 'The JSON serialized publish metadata (optional)', 'm'),
      textFlag('publish-app-id', 'The ID of the publishing app', 'i'),
      textFlag('pubsub', 'The name of the pub/sub component', 'p'),
      ...whichRun('The run template of the app'),
      textFlag('topic', 'The topic to be published to', 't'),
      SOCKET
    ],
    required: ['publish-app-id', 'pubsub', 'topic'],
    examples: [`publish -i shop -p pubsub -t orders -d '{"id": 7}'`],
    load: async () => (await import('../commands/invoke.ts')).publish
  },
  {
    name: 'init',
    summary: 'Do nothing. Scripts for Dapr may call it',
    // The flags of Dapr's `init`, without effect: scripts may use them.
    flags: [
      ...hiddenFlags('bool', 'kubernetes/k slim/s dev wait enable-mtls enable-ha redis-stack'),
      ...hiddenFlags('string', 'namespace/n runtime-version container-runtime network image-registry from-dir'),
      ...hiddenFlags('string', 'image-variant scheduler-volume scheduler-override-broadcast-host-port'),
      ...hiddenFlags('string', 'ca-root-certificate issuer-private-key issuer-public-certificate'),
      hiddenFlag('timeout', 'int'),
      hiddenFlag('set', 'strings')
    ],
    examples: [],
    load: async () => (await import('../commands/upgrade.ts')).init
  },
  {
    name: 'uninstall',
    summary: 'Do nothing. Scripts for Dapr may call it',
    flags: [
      ...hiddenFlags('bool', 'kubernetes/k all dev'),
      ...hiddenFlags('string', 'namespace/n network container-runtime'),
      hiddenFlag('timeout', 'int')
    ],
    examples: [],
    load: async () => (await import('../commands/upgrade.ts')).uninstall
  },
  {
    name: 'trust',
    summary: 'Let browsers trust the HTTPS addresses of your apps',
    usage: '[flags]',
    flags: [boolFlag('remove', 'Take back exactly that'), boolFlag('yes', 'Do not ask')],
    examples: ['trust', 'trust --remove'],
    load: async () => (await import('../commands/trust.ts')).trust
  },
  {
    name: 'upgrade',
    summary: 'Replace this executable with another release',
    usage: '--from PLACE',
    flags: [
      textFlag('from', 'Folder, or URL of one, with the files of a release'),
      // the flags of Dapr's `upgrade`, which is for Kubernetes alone
      hiddenFlag('kubernetes', 'bool', 'k'),
      hiddenFlag('timeout', 'int'),
      hiddenFlag('set', 'strings'),
      ...hiddenFlags('string', 'runtime-version image-registry image-variant')
    ],
    examples: ['upgrade --from ./release'],
    load: async () => (await import('../commands/upgrade.ts')).upgrade
  }
]

const SUMMARY = 'Tell coding agents how to run this folder: AGENTS.md and MCP'

/** The command `agent`, which writes files of a repository for coding agents. */
export const AGENT: CommandEntry = {
  name: 'agent',
  summary: SUMMARY,
  usage: 'init [flags]',
  flags: [],
  examples: ['agent init'],
  verbs: [
    {
      name: 'agent init',
      summary: SUMMARY,
      flags: [textFlag('run-file', 'Path to the run template', 'f'), boolFlag('yes', 'Do not ask')],
      examples: ['agent init', 'agent init --yes'],
      notes: `Shows the change, then asks. It writes a block of AGENTS.md, an import of it
in CLAUDE.md (GEMINI.md if it is there), .mcp.json, and the MCP settings of
Cursor, VS Code, Gemini CLI and Codex where their folders are there.
`,
      load: async () => (await import('../commands/agent.ts')).agentInit
    }
  ],
  load: async () => (await import('../commands/no-verb.ts')).noVerb(AGENT)
}

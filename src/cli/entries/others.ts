import {
  ASSIGN_FLAGS,
  INIT_FLAGS,
  INVOKE_FLAGS,
  LS_FLAGS,
  NOTIFICATIONS_FLAGS,
  PUBLISH_FLAGS,
  REDIS_FLAGS,
  UNINSTALL_FLAGS
} from '../verb-flags.ts'
import type {CommandEntry} from './command-entry.ts'

/** Commands for services of Daeploy, for one app, and those of Dapr that have nothing to do here. */
export const OTHER_COMMANDS: readonly CommandEntry[] = [
  {
    name: 'ls',
    summary: 'List the Daeploy services of a run: main versions and shadows',
    usage: '[name [version]] [flags]',
    flags: LS_FLAGS,
    examples: ['ls', 'ls hello 1.0.0'],
    load: async () => (await import('../commands/ls.ts')).ls
  },
  {
    name: 'assign',
    summary: 'Make a version of a Daeploy service the main version',
    usage: 'name version [flags]',
    flags: ASSIGN_FLAGS,
    examples: ['assign hello 2.0.0'],
    load: async () => (await import('../commands/assign.ts')).assign
  },
  {
    name: 'notifications',
    summary: 'List the notifications of the Daeploy services of a run',
    usage: '[flags]',
    flags: NOTIFICATIONS_FLAGS,
    examples: ['notifications', 'notifications -o json'],
    load: async () => (await import('../commands/notifications.ts')).notifications
  },
  {
    name: 'redis',
    summary: 'Run only the built-in Redis, on port 6379 or another one, until Ctrl-C',
    usage: '[port] [flags]',
    flags: REDIS_FLAGS,
    examples: ['redis', 'redis 6380', 'redis --off'],
    load: async () => (await import('../commands/redis.ts')).redis
  },
  {
    name: 'invoke',
    summary: 'Invoke a method on a given Dapr application. Supported platforms: Self-hosted',
    usage: '[flags]',
    flags: INVOKE_FLAGS,
    required: ['app-id', 'method'],
    examples: [
      `invoke --app-id target --method sample --data '{"key":"value"}'`,
      'invoke --app-id target --method sample --verb GET'
    ],
    load: async () => (await import('../commands/invoke.ts')).invoke
  },
  {
    name: 'publish',
    summary: 'Publish a pub-sub event. Supported platforms: Self-hosted',
    usage: '[flags]',
    flags: PUBLISH_FLAGS,
    required: ['publish-app-id', 'pubsub', 'topic'],
    examples: [`publish --publish-app-id myapp --pubsub pubsub --topic sample --data '{"key":"value"}'`],
    load: async () => (await import('../commands/publish.ts')).publish
  },
  {
    name: 'init',
    summary: 'Does nothing: there is nothing to install. Exists for scripts that call it',
    usage: '[flags]',
    flags: INIT_FLAGS,
    examples: [],
    load: async () => (await import('../commands/init.ts')).init
  },
  {
    name: 'uninstall',
    summary: 'Does nothing: nothing was installed. Exists for scripts that call it',
    usage: '[flags]',
    flags: UNINSTALL_FLAGS,
    examples: [],
    load: async () => (await import('../commands/init.ts')).uninstall
  }
]

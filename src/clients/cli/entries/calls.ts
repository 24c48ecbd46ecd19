import {boolFlag, intFlag, outputFlag, repeatedFlag, textFlag, whichRun} from '../flag.ts'
import type {CommandEntry} from './command-entry.ts'

const RUN_FILE = whichRun('Path to the run template of the run')

/** Help for filters of calls. A test compares its fields with the code that reads filters. */
const FILTERS = `Filters, of which all must match; !, | and * say not, or, anything:
  from:shop to:stock app:pay*              who calls, who is called, either
  method:POST path:/orders/* status:5xx    the request and its status
  is:failed                                also open, waited, resent, cut, ours,
                                           shadow, replay, grpc, own, fault,
                                           woke
  protocol:grpc                            at one end: HTTP/1.1, HTTP/2, gRPC,
                                           WebSocket, bytes
  slower:100ms faster:2s waited:1s         how long it took, or waited
  since:2026-01-31T14:46:28Z until:…       when it began
  header:x-user body:17 trace:4bf92f       a text in its heads, bodies, trace
  actor:Cart/17                            an actor, or a type of them
  span:redis                               a text in a span of its trace
  charge                                   path, caller, callee or error
`

/** The commands about calls between the apps of a run. */
export const CALL_COMMANDS: readonly CommandEntry[] = [
  {
    name: 'calls',
    summary: 'Show the calls between the apps. For one call: request and response',
    usage: '[filter ...] [flags]',
    flags: [
      boolFlag('follow', 'Keep showing calls as they end', 'f'),
      intFlag('number', 'Number of latest calls to show', {short: 'n', shown: '20'}),
      outputFlag(['table', 'json', 'ndjson', 'har', 'curl']),
      ...RUN_FILE
    ],
    examples: [
      'calls',
      'calls to:payments is:failed -f',
      'calls 48190',
      'calls 48190 -o curl',
      'calls -o har > calls.har'
    ],
    notes: FILTERS,
    load: async () => (await import('../commands/calls.ts')).calls
  },
  {
    name: 'trace',
    summary: 'Show a request with all calls that it caused, as a tree',
    usage: '[number | trace-id | last | workflow:id | filter ...] [flags]',
    flags: [
      outputFlag(['tree', 'json']),
      boolFlag('bodies', 'Show what each call sent and was answered, shortened; calls NUMBER shows all of it'),
      boolFlag(
        'lines',
        'Show all lines that the apps wrote meanwhile, not only errors, warnings and those of the call that failed'
      ),
      ...RUN_FILE
    ],
    examples: [
      'trace',
      'trace is:failed',
      'trace 48190',
      'trace 4bf92f3577b34da6',
      'trace last --lines',
      'trace 48190 --bodies'
    ],
    notes: FILTERS,
    load: async () => (await import('../commands/trace.ts')).trace
  },
  {
    name: 'fault',
    summary: 'Make calls slow or fail. Without arguments: list the active faults',
    usage: '[FROM TO] [flags]',
    flags: [
      boolFlag('abort', "Reset the caller's connection"),
      textFlag('actor', 'Only calls of actors of this type, their timers and reminders: Cart'),
      textFlag('body', 'The body of the response with --status'),
      boolFlag('cut', 'Cut the response off after its head'),
      textFlag('cut-after', 'Cut the response off after this many bytes of its body'),
      textFlag('delay', 'Delay calls by this time: 300ms, 5s'),
      textFlag('disable', 'Disable the fault with this number, or all'),
      textFlag('enable', 'Enable the fault with this number, or all, again'),
      textFlag('for', 'End the fault after this time: 5m'),
      textFlag('jitter', 'Vary the delay by up to this time'),
      boolFlag('kill', 'Kill the process of the callee while it handles the call'),
      textFlag('method', 'Only calls with this method'),
      boolFlag('never', 'Send no response until the caller disconnects'),
      textFlag('off', 'Remove the fault with this number, or all'),
      outputFlag(['table', 'json']),
      textFlag('path', "Only calls with this path; * matches anything: '/orders/*'"),
      textFlag('rate', 'Share of the calls to hit: 0.2'),
      ...RUN_FILE,
      textFlag('seed', 'Seed that selects these calls: the same ones in every run'),
      textFlag('status', 'Respond with this status instead of the callee: 503'),
      textFlag('times', 'Hit this many calls, then none')
    ],
    examples: [
      'fault shop stock --delay 300ms --jitter 100ms',
      "fault any stock --status 503 --rate 0.2 --path '/orders/*'",
      'fault shop stock --kill --times 1',
      'fault --actor Cart --delay 300ms',
      'fault',
      'fault --disable 1',
      'fault --off all'
    ],
    groups: [
      ['What happens to a call', ['delay', 'jitter', 'status', 'body', 'abort', 'never', 'cut', 'cut-after', 'kill']],
      ['Which calls', ['method', 'path', 'actor', 'rate', 'seed', 'times', 'for']],
      ['Faults that there are', ['disable', 'enable', 'off']]
    ],
    takesIds: true,
    load: async () => (await import('../commands/fault.ts')).fault
  },
  {
    name: 'replay',
    summary: 'Send recorded calls again and compare the answers',
    usage: '[number ... | filter ...] [flags]',
    flags: [
      textFlag('data', 'Send this body instead of the recorded one'),
      repeatedFlag('header', 'Send this header, instead of the recorded one: "name: value"; "name:" sends none'),
      textFlag('method', 'Send this method instead of the recorded one'),
      textFlag('path', 'Send this path, with its query, instead of the recorded one'),
      boolFlag('fast', 'With --window: send each call as soon as the one before it is answered'),
      boolFlag('last-failed', 'Send the request again with which the latest failure began'),
      outputFlag(['text', 'json'], {
        text: 'The output format. Valid values are: json (one object per call), or text (default)'
      }),
      textFlag('pin', 'Pin the call with this number: it is sent again after each save'),
      boolFlag('pinned', 'Send the pinned calls again now'),
      ...RUN_FILE,
      textFlag('unpin', 'Unpin the call with this number, or all'),
      boolFlag('unsafe', 'Send calls other than GET, HEAD and OPTIONS, too'),
      textFlag('window', 'Send the calls of the last 30s, of 120..180 (numbers), or of 14:46:20..14:46:30 again')
    ],
    groups: [
      ['Which calls', ['last-failed', 'window', 'fast', 'unsafe']],
      ['Another request', ['method', 'path', 'header', 'data']],
      ['After each save', ['pin', 'unpin', 'pinned']]
    ],
    examples: [
      'replay 48190',
      `replay 48190 --unsafe --data '{"amount": 5}' --header 'x-user: ada'`,
      'replay path:/items/*',
      'replay --last-failed',
      'replay --pin 48190',
      'replay --window 30s to:payments --unsafe',
      'replay'
    ],
    load: async () => (await import('../commands/replay.ts')).replay
  }
]

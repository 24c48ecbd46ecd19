import type {MeasureName} from '../figure.ts'

/** A part of the page: figures that belong together. */
export interface Section {
  readonly title: string
  /** The name of each figure, and what it measures. */
  readonly figures: readonly (readonly [name: string, what: string])[]
}

export const SECTIONS: readonly Section[] = [
  {
    title: 'Calls between two apps',
    figures: [
      [
        'calls',
        '`wrk` sends a POST of 13 bytes on 32 connections to the sidecar of one app, for another one: a small Go server that answers with what it gets, and checks that every call has all headers that Dapr adds. nginx has one worker, connections that are kept, and no access log; with `headers` it adds what a sidecar adds, and the server checks that, too.'
      ],
      ['latency', 'The same with one connection: the median of the time of a call.'],
      [
        'port',
        'Calls at the `port` of an app, as `calls` and `latency` make them: what comes there is passed on as it came, so nginx adds no headers. Memory for 10,000 connections that have had one call each. How long it takes to find which app has opened a connection, on a machine with 400 processes more: where an app has, and where none has.'
      ],
      [
        'paced',
        '5,000 calls a second for a while, each at its time whether earlier ones were answered or not. The time of a call counts from the moment at which it was due, so a stall counts for all that it delayed.'
      ],
      [
        'threads',
        'The same as `calls`, with few connections and with many, compared with nginx with one worker and with two: what a second thread could bring on this machine. `busy` is our own processor time, of one core.'
      ],
      [
        'policies',
        'Calls in a second of our own processor time, with more around each of them, compared with the same run without it.'
      ]
    ]
  },
  {
    title: 'Start, memory and stop',
    figures: [
      [
        'ten',
        'Ten copies of a small Go server. From the start of the tool until all ten listen; proportional memory (PSS) of all processes of the tool, those of the apps left out, a second later, each tool with a copy of Node that no other process shares; from SIGTERM until the tool and all apps are gone.'
      ],
      [
        'start',
        'The same from what Pillion says: until the last app has started, and until each has answered a call through its sidecar.'
      ],
      ['stop', '`stop -f .` of ten apps, until it returns and the run is gone.'],
      [
        'apps',
        'More and more processes that do nothing, in one template: until the last one has started, processor time and memory of the run, and its end; compared with a script of Node that spawns the same and does no more.'
      ],
      [
        'lazy',
        'Forty apps of Node with `up --lazy`, compared with the same ones that all start: until something takes connections at each address, where apps that start answer by then; proportional memory (PSS) of the run and its apps, before a call; the median of twenty first calls one after the other, compared with the boot of the same app alone until its first answer; and a first call of all forty at once, until all are answered.'
      ],
      [
        'memory',
        'Memory of a run of ten apps after 100,000 calls: right after the last one, and a little later, with the recorder and without.'
      ],
      [
        'startup',
        'A command from its start to its end, and `run` from its start to that of the app; compared with an empty program of Node.'
      ]
    ]
  },
  {
    title: 'Saving',
    figures: [
      [
        'save',
        'A server that needs 300 ms to boot. From the write of the file to the first answer of the new code, less its own boot and exit; and the calls that fail meanwhile, at 200 a second, whose answers take 50 ms.'
      ],
      [
        'overlap',
        'With `reload: overlap`: the 99.9th percentile of calls, with twenty saves in a while and without any.'
      ]
    ]
  },
  {
    title: 'Log lines',
    figures: [
      [
        'pump-lines',
        'A program in C writes lines of 100 bytes, one `write` for each, through the tool into `wc -l`; compared with the same straight into `wc -l`. Pillion keeps the lines in a file, too. Lost are lines that never arrived, in the worst round; who loses more than one in a hundred has no speed.'
      ],
      ['pump-buffered', 'The same program, writing 10 KB at a time.'],
      [
        'flood',
        '1,000 calls a second between two apps while a third one writes lines: the 99th percentile of the calls.'
      ],
      [
        'flood-memory',
        'Memory of a run (in full, as above) whose app has written two million lines and is silent, compared with one that was always silent.'
      ]
    ]
  },
  {
    title: 'Bad input under load',
    figures: [
      [
        'bad-input',
        '500 calls a second between two apps while somebody misbehaves: the 99th percentile of these calls, none of which may fail, and by how much the own memory of the run was larger at most.'
      ],
      [
        'hostile',
        '200 calls a second between two apps while somebody attacks the sidecar of a third one over eight connections of HTTP/2, at its HTTP or its gRPC port, or with bodies in chunks of one byte: the 99th percentile and the longest of these calls, none of which may fail, and the memory as above. And the most processor time that one command of the built-in Redis takes, with 100,000 keys and patterns that are made to take long.'
      ]
    ]
  },
  {
    title: 'gRPC, state and events',
    figures: [
      ['grpc', 'Unary calls of 32 streams or connections, by grpc-go; nginx has `grpc_pass`.'],
      [
        'blocks',
        'State and pub/sub over HTTP, at 32 connections; `bare` is a server in Go that does nothing but pass on to Redis.'
      ],
      ['grpc-blocks', 'The same over gRPC.']
    ]
  },
  {
    title: 'Workflows, actors and jobs',
    figures: [
      [
        'workflows',
        'One worker of Dapr’s SDK for JavaScript, which is its own client: processor time of an activity, activities in a second, the time of a workflow of one activity; memory of the run. Dapr’s programs do the same in turn where they are here; else their figures are of another machine.'
      ],
      [
        'actors',
        'Processor time of a call of an actor, compared with a plain call; reminders that are all due at once; memory of the run.'
      ],
      ['jobs', 'How late the last of many jobs comes, and what those cost that wait.']
    ]
  },
  {
    title: 'The rest',
    figures: [
      [
        'manager',
        "The median of a call to a service at the manager's port, compared with one at the sidecar of an app."
      ],
      [
        'page',
        "The dashboard in a browser: when it shows something, compared with a blank page, and the share of time in which the browser's main thread works."
      ],
      [
        'watched',
        '10,000 calls a second while a page shows them, and while all that is kept is exported again and again; compared with no reader.'
      ],
      [
        'spans',
        'What OpenTelemetry SDKs of apps send: processor time with 2,000 spans a second, in percent of one core, and the memory that 100,000 spans have left after a while.'
      ],
      [
        'copies',
        'A second copy of a template with ten apps next to the first one: what both take together, less what the first one took before.'
      ],
      [
        'crypto',
        'A file as a stream of gRPC through the run, encrypted and decrypted; compared with `openssl enc`, and with a server of Node that only sends back what comes.'
      ],
      ['conversation', 'What a sidecar adds to a question to a language model that answers at once.'],
      [
        'overlap',
        'The 99.9th percentile of 200 calls a second to an app that boots in 300 ms, with twenty saves, and without any.'
      ],
      ['flood', 'The 99th percentile of 1,000 calls a second while another app floods the logs.'],
      ['wait', '`wait`: from the moment at which the last app listens, and how much later than is true.']
    ]
  }
]

/** What the picture shows: one measure of a figure with all it is compared with. */
export interface Panel {
  readonly figure: string
  readonly measure: MeasureName
  readonly title: string
  readonly better: 'more' | 'less'
  /** A peer that is so far off that nobody could see the others. */
  readonly without?: string
}

export const PANELS: readonly Panel[] = [
  {figure: 'calls', measure: 'calls', title: 'Calls a second, 32 connections', better: 'more'},
  {figure: 'latency', measure: 'latency', title: 'Median of a call, one connection', better: 'less'},
  {
    figure: 'paced',
    measure: 'p99.9, 5,000 calls/s',
    title: '99.9 % of 5,000 calls a second within',
    better: 'less',
    without: 'daprd'
  },
  {figure: 'save', measure: 'save → new code', title: 'Saved file → new code, without its boot', better: 'less'},
  {figure: 'ten', measure: 'ten apps: listen', title: 'Ten apps: until all listen', better: 'less'},
  {figure: 'ten', measure: 'ten apps: memory', title: 'Ten apps: memory of the tool', better: 'less'},
  {figure: 'ten', measure: 'ten apps: stop', title: 'Ten apps: until all have ended', better: 'less'},
  {figure: 'pump-lines', measure: 'pump, line by line', title: 'Log lines a second, one write each', better: 'more'}
]

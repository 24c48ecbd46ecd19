/** One app of a run, as `list` shows it. Numbers are 0 and texts '' where there is nothing. */
export interface ListedApp {
  readonly appId: string
  readonly httpPort: number
  readonly grpcPort: number
  readonly appPort: number
  readonly command: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly appPid: number
  readonly maxRequestBodySize: number
  readonly httpReadBufferSize: number
  readonly appLogPath: string
  readonly daprdLogPath: string
  /** The phase of its life, for people: `running`, `starting`, `exited` … */
  readonly state: string
}

/** What a run tells about itself. */
export interface RunListing {
  /** Version of the program, so that a newer one knows what an older one lacks. */
  readonly version: string
  /** 128 random bits, hex: the mark of everything that belongs to the run. */
  readonly run: string
  readonly pid: number
  readonly startedAt: number
  /** Identity of the template, '' for a single app. */
  readonly templateFile: string
  readonly templateName: string
  readonly apps: readonly ListedApp[]
}

/** What a run does when it is asked. */
export interface Handlers {
  readonly list: () => RunListing
  /** Ends the whole run. */
  readonly stop: () => void
  /** Ends one app and its door; false where the run has no such app. */
  readonly stopApp: (id: string) => Promise<boolean>
}

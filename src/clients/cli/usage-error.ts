/** A mistake on the command line: exit code 255, followed by the usage (as in cobra). */
export class UsageError extends Error {}

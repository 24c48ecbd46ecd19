/** Processor time of this thread so far, in ms: unlike the time of the clock, it does not grow because the machine is busy. */
export function cpuMs(): number {
  const {user, system} = process.threadCpuUsage()
  return (user + system) / 1000
}

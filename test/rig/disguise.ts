/** For `skip`: the reason, where the program under test takes this machine for a Mac (`test/runner/disguise.ts`). */
export const inDisguise = (reason: string): string | false =>
  process.env['PILLION']?.endsWith('/disguise/pillion') === true ? reason : false

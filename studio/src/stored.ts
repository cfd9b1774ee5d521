// What the browser keeps of a visitor's choices. A browser that keeps nothing (private windows, full disks) is none the worse.
export const stored = {
  read<T extends string>(key: string, allowed: readonly T[]): T | null {
    try {
      const value = localStorage.getItem(`reseau.${key}`);
      return allowed.find((one) => one === value) ?? null;
    } catch {
      return null;
    }
  },
  write(key: string, value: string): void {
    try {
      localStorage.setItem(`reseau.${key}`, value);
    } catch {
      // then it is not kept
    }
  },
};

/**
 * Lets one loop wait for a notification or an interval, whichever is first. A notification that comes while the loop
 * does not wait ends its next wait at once.
 */
export function createWakeup(): { notify(): void; wait(atMostMs: number): Promise<void> } {
  let hasNews = false;
  let end: (() => void) | undefined;
  return {
    notify: () => {
      hasNews = true;
      end?.();
    },
    wait: async (atMostMs) => {
      if (!hasNews) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, atMostMs);
          end = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      end = undefined;
      hasNews = false;
    },
  };
}

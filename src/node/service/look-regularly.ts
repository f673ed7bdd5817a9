// A look around now and then, for as long as a node runs: never two at a time, and what cannot be read or done now is
// tried the next time.
export function lookRegularly(look: () => Promise<void>, lookMs: number): () => void {
  let isLooking = false;
  const act = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    try {
      await look();
    } catch {
      // A look that fails says nothing.
    } finally {
      isLooking = false;
    }
  };
  const timer = setInterval(() => void act(), lookMs);
  timer.unref();
  void act();
  return () => clearInterval(timer);
}

// Runs before the first paint, so that a chosen theme does not flash.
try {
  const { theme = 'auto', density = 'comfortable', motion = 'auto' } = JSON.parse(localStorage.getItem('parley.preferences') ?? '{}');
  Object.assign(document.documentElement.dataset, { theme, density, motion });
} catch {
  // Without stored preferences the system's theme is worn.
}

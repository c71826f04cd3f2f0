"""The replay of a real order history through a full stack: file, company, played partners, days, report."""

//! The table on the terminal, again and again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ratatui::Frame;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::{Alignment, Constraint};
use ratatui::style::{Color, Style, Stylize as _};
use ratatui::text::Text;
use ratatui::widgets::{Block, Row as Line, Table, TableState};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag;

use super::sample::{HEADINGS, Row, rows};
use super::{Result, Watched};
use crate::cli::signals;

/// How long a signal may have to wait.
const LONGEST_WAIT: Duration = Duration::from_millis(200);

/// What the user wants.
enum Wish {
    End,
    Up,
    Down,
}

/// Shows what the guest's devices do until the user has seen enough. Returns the exit
/// status. Whatever ends it, a panic too, the terminal is restored.
pub(super) fn run(guest: &mut Watched, interval: Duration) -> Result<u8> {
    let signal = signal_that_ends()?;
    let mut terminal = ratatui::try_init()?;
    let result = show(&mut terminal, guest, interval, &signal);
    ratatui::restore();
    result?;
    Ok(match signal.load(Ordering::Relaxed) {
        0 => 0,
        signal => signals::status(signal as i32),
    })
}

/// Where the number of a signal is put that would end the process, so that the terminal
/// is restored first; 0 until then.
fn signal_that_ends() -> io::Result<Arc<AtomicUsize>> {
    let received = Arc::new(AtomicUsize::new(0));
    for signal in [SIGHUP, SIGINT, SIGTERM, SIGQUIT] {
        flag::register_usize(signal, received.clone(), signal as usize)?;
    }
    Ok(received)
}

fn show(
    terminal: &mut ratatui::DefaultTerminal,
    guest: &mut Watched,
    interval: Duration,
    signal: &AtomicUsize,
) -> Result<()> {
    let mut state = TableState::default();
    let (mut before, mut shown) = (guest.look()?, Vec::new());
    loop {
        let next = Instant::now() + interval;
        loop {
            terminal.draw(|frame| draw(frame, &shown, &mut state))?;
            let left = next.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            // The wait may be hours; a signal does not end it.
            let happened = event::poll(left.min(LONGEST_WAIT))?;
            if signal.load(Ordering::Relaxed) != 0 {
                return Ok(());
            }
            if !happened {
                continue;
            }
            match wish(&event::read()?) {
                Some(Wish::End) => return Ok(()),
                Some(Wish::Up) => scroll(&mut state, shown.len(), false),
                Some(Wish::Down) => scroll(&mut state, shown.len(), true),
                None => {}
            }
        }
        let now = guest.look()?;
        shown = rows(&before, &now);
        before = now;
    }
}

fn wish(event: &Event) -> Option<Wish> {
    let Event::Key(KeyEvent { code, modifiers, kind: KeyEventKind::Press, .. }) = event else {
        return None;
    };
    match code {
        KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => Some(Wish::End),
        KeyCode::Char('q') | KeyCode::Esc => Some(Wish::End),
        KeyCode::Up | KeyCode::Char('k') => Some(Wish::Up),
        KeyCode::Down | KeyCode::Char('j') => Some(Wish::Down),
        _ => None,
    }
}

fn scroll(state: &mut TableState, rows: usize, down: bool) {
    let offset = state.offset_mut();
    *offset =
        if down { (*offset + 1).min(rows.saturating_sub(1)) } else { offset.saturating_sub(1) };
}

/// A heading, and whether its column is one of numbers.
fn heading(heading: &'static str) -> (&'static str, Alignment) {
    match heading.strip_prefix('>') {
        Some(heading) => (heading, Alignment::Right),
        None => (heading, Alignment::Left),
    }
}

fn draw(frame: &mut Frame<'_>, shown: &[Row], state: &mut TableState) {
    let headings = HEADINGS.map(heading);
    let cells: Vec<_> = shown.iter().map(Row::cells).collect();
    let widths: [Constraint; HEADINGS.len()] = std::array::from_fn(|column| {
        let own = headings[column].0.chars().count();
        let widest = cells.iter().map(|cells| cells[column].chars().count()).fold(own, usize::max);
        match column + 1 == HEADINGS.len() {
            true => Constraint::Fill(1),
            false => Constraint::Length(u16::try_from(widest).unwrap_or(u16::MAX)),
        }
    });
    let lines = cells.into_iter().zip(shown).map(|(cells, row)| {
        let aligned = cells.into_iter().zip(headings);
        let line = Line::new(aligned.map(|(cell, (_, side))| Text::from(cell).alignment(side)));
        match &row.fault {
            Some(_) => line.style(Style::new().fg(Color::Red)),
            None => line,
        }
    });
    let header = headings.map(|(heading, side)| Text::from(heading).alignment(side));
    let table = Table::new(lines, widths)
        .header(Line::new(header).bold())
        .column_spacing(2)
        .block(Block::new().title_bottom(if shown.is_empty() { "measuring" } else { "q: end" }));
    frame.render_stateful_widget(table, frame.area(), state);
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::sample::tests::two_samples;
    use super::*;

    fn screen(state: &mut TableState) -> Vec<String> {
        let (before, now) = two_samples();
        let shown = rows(&before, &now);
        let mut terminal = Terminal::new(TestBackend::new(110, 6)).unwrap();
        terminal.draw(|frame| draw(frame, &shown, state)).unwrap();
        let buffer = terminal.backend().buffer();
        let lines = buffer.content().chunks(110);
        lines.map(|line| line.iter().map(|cell| cell.symbol()).collect()).collect()
    }

    #[test]
    fn devices_are_lines_under_headings() {
        let lines = screen(&mut TableState::default());
        assert!(lines[0].starts_with("SLOT  DEVICE         READS/s  WRITES/s"), "{}", lines[0]);
        assert!(lines[1].starts_with("a     counter 1.0.0      100        50"), "{}", lines[1]);
        assert!(lines[2].contains("out of service: a test"), "{}", lines[2]);
        assert!(lines[5].starts_with("q: end"), "{}", lines[5]);
    }

    #[test]
    fn the_arrows_scroll() {
        let mut state = TableState::default();
        for (down, expected) in [(true, 1), (true, 2), (true, 2), (false, 1)] {
            scroll(&mut state, 3, down);
            assert_eq!(state.offset(), expected);
        }
        assert!(screen(&mut state)[1].starts_with("b "));
        scroll(&mut state, 0, true);
        assert_eq!(state.offset(), 0);
    }
}

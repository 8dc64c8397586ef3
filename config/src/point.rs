//! Points: named places between the steps of an effect, where tests make the process die, panic or fail at a chosen
//! pass. In builds without `debug_assertions`, releases among them, both functions are empty.
//!
//! `MILLRACE_FAULTS=<point>:<pass, from 1>:<abort|panic|error>,...` arms some; `MILLRACE_POINTS_SEEN=<file>` gets a line
//! per pass: the point, and `may_fail` or `may_die`; or `fired`.

#[cfg(debug_assertions)]
pub use armed::{may_die, may_fail};
#[cfg(not(debug_assertions))]
pub use unarmed::{may_die, may_fail};

macro_rules! points {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Every point there is. A new one is a line here and a line where it is; the tests enumerate it by themselves.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Point { $($(#[$doc])* $name),* }

        impl Point {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// As it is written here.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }
        }
    };
}

points! {
    /// Nothing is known of the source yet.
    SourceRead,
    /// A batch of events is not stored yet.
    EventsInsert,
    /// Events are committed; nobody has been told.
    EventsInserted,
    /// A delivery is durable; its answer is not sent.
    DeliveryStored,
    /// A delivery is not in the stream yet.
    Publish,
    /// The stream has a delivery; its answer is not sent.
    Published,
    /// A bridge holds a lane and has not read from it.
    LaneTaken,
    /// A bridge has committed a batch; no message is settled.
    BridgeStored,
    /// One message of a batch is settled.
    BridgeSettled,
    /// Jobs are claimed; their claimer does not know.
    JobsClaimed,
    /// A claimer knows its jobs; no lease is in hand.
    JobsTaken,
    /// A suspect is claimed.
    SuspectClaimed,
    /// A call has left the buffer and not begun.
    CallBegins,
    /// Ends of deliveries are known; nothing is written.
    EndsGathered,
    /// Jobs are finished in the database; the runtime does not know.
    JobsFinished,
    /// Jobs are back in the queue; the runtime does not know.
    JobsReturned,
    /// Jobs are dead letters; the runtime does not know.
    JobsBuried,
    /// Running jobs are cancelled in the database; their work goes on.
    JobsCancelled,
    /// Leases are extended; the runtime does not know.
    LeasesExtended,
    /// Jobs of dead workers are ready again; nobody was woken.
    JobsExpired,
    /// Due jobs are ready; nobody was woken.
    JobsPromoted,
    /// Jobs are enqueued in a transaction that is open.
    JobsEnqueued,
    /// Dead letters are replayed; the caller does not know.
    LettersReplayed,
    /// A batch of events is to be read again; the caller does not know.
    EventsReplayed,
    /// A tick is taken, without its job.
    TickTaken,
    /// A tick and its job are committed; the scheduler does not know.
    TickCommitted,
    /// Stored bytes are read; no transaction is open.
    NormalizeRead,
    /// New records are rows, without their history.
    RecordsInserted,
    /// Texts of deleted signals are gone; what was derived from them is not.
    TextsErased,
    /// Records are written, leases completed, nothing committed.
    NormalizeWritten,
    /// Records are committed; the runtime does not know.
    NormalizeCommitted,
    /// Texts are judged; no transaction is open.
    ProcessJudged,
    /// Results are written, leases completed, nothing committed.
    ProcessWritten,
    /// Results are committed; the runtime does not know.
    ProcessCommitted,
    /// Posts are decided upon; nothing is written.
    DecideJudged,
    /// Decisions are written, not committed.
    DecideWritten,
    /// Decisions are committed; the runtime does not know.
    DecideCommitted,
    /// A call of a platform is taken from its budget, not made.
    CallTaken,
    /// A page of a platform is here; nothing is written.
    PageFetched,
    /// A page, its cursor and the next job are written, not committed.
    PageWritten,
    /// A page is committed; the runtime does not know.
    PageCommitted,
    /// A run of learning has found everything; nothing is written.
    LearnJudged,
    /// Its report and weights are written, not committed.
    LearnWritten,
    /// They are committed; the runtime does not know.
    LearnCommitted,
    /// Experiments of a workspace are looked at; nothing is written.
    ExperimentsJudged,
    /// What was found is written, not committed.
    ExperimentsWritten,
    /// It is committed; the runtime does not know.
    ExperimentsCommitted,
    /// The endpoint has answered about a post.
    OpinionAnswered,
    /// Its opinion is written and the lease completed, nothing committed.
    OpinionWritten,
    /// Its opinion is committed; the runtime does not know.
    OpinionCommitted,
    /// The endpoint has answered.
    EnrichAnswered,
    /// Its answer is written and the lease completed, nothing committed.
    EnrichWritten,
    /// Its answer is committed; the runtime does not know.
    EnrichCommitted,
    /// Projects are learned anew; no transaction is open.
    ProfileJudged,
    /// New scores are written and the lease completed, nothing committed.
    ProfileWritten,
    /// New scores are committed; the runtime does not know.
    ProfileCommitted,
    /// A link by hand is written, not committed.
    LinkWritten,
    /// A link by hand is committed; its answer is not sent.
    LinkCommitted,
    /// Partitions are made ahead; old ones are there still.
    PartitionsMade,
    /// Old partitions of one table are dropped.
    PartitionsDropped,
    /// An archive has its rows; nothing says what it is.
    ArchiveWritten,
    /// An archive is whole and was read back; its rows are there still.
    ArchiveSettled,
    /// The rows of an archive are gone; the run goes on.
    ArchiveLeft,
    /// Files of a codebase that need no reading are written, not committed.
    NamesWritten,
    /// Vectors of chunks are committed; the chunks are not written.
    VectorsWritten,
    /// Files and their chunks are written, not committed.
    ChunksWritten,
    /// Files and their chunks are committed; there are more.
    ChunksCommitted,
    /// The end of a run is written and its lease completed, nothing committed.
    RunEnded,
    /// The end of a run is committed; the runtime does not know.
    RunCommitted,
    /// Claimers have stopped; jobs are running.
    DrainBegins,
    /// All work is written; the worker is still on the list.
    DrainEnds,
}

#[cfg(not(debug_assertions))]
mod unarmed {
    use super::Point;

    /// Nothing.
    #[inline(always)]
    pub const fn may_die(_: Point) {}

    /// Nothing.
    ///
    /// # Errors
    /// Never.
    #[inline(always)]
    pub const fn may_fail(_: Point) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(debug_assertions)]
mod armed {
    use std::{
        fs::{File, OpenOptions},
        io::{Error, ErrorKind, Write},
        sync::{
            OnceLock,
            atomic::{AtomicU32, Ordering},
        },
    };

    use super::Point;

    /// Dies or panics here if a test asked for it.
    pub fn may_die(point: Point) {
        pass(point, "may_die");
    }

    /// As [`may_die`], where an error can be returned, too.
    ///
    /// # Errors
    /// If a test asked for it: that of a connection that broke.
    pub fn may_fail(point: Point) -> std::io::Result<()> {
        if pass(point, "may_fail") {
            return Err(Error::new(ErrorKind::ConnectionReset, point.name()));
        }
        Ok(())
    }

    struct Armed {
        faults: Vec<Fault>,
        seen: Option<File>,
    }

    struct Fault {
        point: String,
        pass: u32,
        action: String,
        passes: AtomicU32,
    }

    /// True if it is to fail.
    #[expect(clippy::panic, reason = "that is what it is for")]
    fn pass(point: Point, how: &str) -> bool {
        static ARMED: OnceLock<Armed> = OnceLock::new();
        let armed = ARMED.get_or_init(read);
        armed.note(point, how);
        for fault in armed.faults.iter().filter(|fault| fault.point == point.name()) {
            if fault.passes.fetch_add(1, Ordering::SeqCst) + 1 != fault.pass {
                continue;
            }
            armed.note(point, "fired");
            match fault.action.as_str() {
                "abort" => std::process::abort(),
                "panic" => panic!("point {}", point.name()),
                _ => return true,
            }
        }
        false
    }

    impl Armed {
        fn note(&self, point: Point, what: &str) {
            if let Some(mut file) = self.seen.as_ref() {
                // One write, so that lines of threads do not mix.
                file.write_all(format!("{} {what}\n", point.name()).as_bytes()).ok();
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "debug builds only: no setting of the service")]
    fn read() -> Armed {
        let fault = |text: &str| {
            let mut parts = text.split(':').map(str::to_owned);
            let (point, pass, action) = (parts.next()?, parts.next()?, parts.next()?);
            Some(Fault { point, pass: pass.parse().ok()?, action, passes: AtomicU32::new(0) })
        };
        let faults = std::env::var("MILLRACE_FAULTS").unwrap_or_default();
        let seen = std::env::var_os("MILLRACE_POINTS_SEEN")
            .and_then(|path| OpenOptions::new().create(true).append(true).open(path).ok());
        Armed { faults: faults.split(',').filter_map(fault).collect(), seen }
    }
}

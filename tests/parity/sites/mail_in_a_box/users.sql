create table users (email text, privileges text default ''); insert into users (email) values ('user@ours.example'), ('joe@ours.example');
create table aliases (source text, destination text, permitted_senders text);
insert into aliases values ('postmaster@ours.example', 'user@ours.example', null), ('abuse@ours.example', 'user@ours.example,someone@remote.example', 'joe@ours.example');
create table auto_aliases (source text, destination text, permitted_senders text);
insert into auto_aliases values ('@other.example', '@ours.example', null);
